// Starts the page: views, language, keys, and one clock that asks for what is looked at.

import * as adapters from "./adapters.js";
import * as compare from "./compare.js";
import * as events from "./events.js";
import * as live from "./live.js";
import * as solve from "./solve.js";
import { Refusal, ask, forgetKeys, hasKey, setKeys } from "./api.js";
import { byId } from "./dom.js";
import { base, readModels } from "./models.js";
import { language, setLanguage, t, translate } from "./strings.js";

const VIEWS = { adapters, compare, solve, live, events };
const POLL_MS = { adapters: 3000, compare: 15000, solve: 15000, live: 2000, events: 3000 };
const READY_MS = 5000;
let view = "adapters";
let timer = 0;

async function tick() {
  clearTimeout(timer);
  try {
    if (!document.hidden && !document.querySelector("dialog[open]")) await VIEWS[view].poll();
  } finally {
    clearTimeout(timer);
    timer = setTimeout(tick, POLL_MS[view]);
  }
}

function show() {
  const wanted = location.hash.slice(1);
  if (Object.hasOwn(VIEWS, wanted)) view = wanted;
  for (const name of Object.keys(VIEWS)) byId(`view-${name}`).hidden = name !== view;
  for (const link of document.querySelectorAll("#views a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  byId("said").hidden = true;
  document.title = `${t(view)} · Loradock`;
  tick();
}

async function readiness() {
  let [kind, text] = ["good", t("ready", { base: base()?.id ?? "" })];
  try {
    const { problems } = await ask("ready");
    if (problems) [kind, text] = ["warn", t("ready_with_problems", { count: problems })];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    kind = "bad";
    text = error.status ? `${t("not_ready")} ${error.message}` : t("no_answer");
  }
  const place = byId("readiness");
  if (place.textContent !== text) place.textContent = text;
  place.className = `readiness ${kind}`;
}

function speak(wanted) {
  setLanguage(wanted);
  translate();
  const other = wanted === "en" ? "zh" : "en";
  byId("language").textContent = other === "zh" ? "中文" : "English";
  byId("language").lang = other;
  document.title = `${t(view)} · Loradock`;
  VIEWS.adapters.draw({ again: true });
  for (const one of [compare, solve, live, events]) one.draw();
}

function startKeys() {
  const dialog = byId("keys");
  const fields = [byId("api-key"), byId("admin-key")];
  const closeWith = (change) => {
    change();
    for (const field of fields) field.value = "";
    dialog.close();
    greet();
  };
  byId("open-keys").addEventListener("click", () => {
    fields[0].placeholder = hasKey("api") ? t("key_held") : "";
    fields[1].placeholder = hasKey("admin") ? t("key_held") : "";
    dialog.showModal();
  });
  byId("forget-keys").addEventListener("click", () => closeWith(forgetKeys));
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    closeWith(() => setKeys(fields[0].value, fields[1].value));
  });
  for (const one of document.querySelectorAll("dialog .cancel")) {
    one.addEventListener("click", () => one.closest("dialog").close());
  }
  for (const one of document.querySelectorAll("dialog")) one.addEventListener("close", () => tick());
}

/** Learn the base's name, which several views show, where the key allows it. */
async function greet() {
  try {
    await readModels();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
  readiness();
}

function start() {
  compare.start();
  solve.start();
  startKeys();
  const asked = new URLSearchParams(location.search).get("lang");
  speak(asked ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
  byId("language").addEventListener("click", () => {
    const wanted = language() === "en" ? "zh" : "en";
    speak(wanted);
    const url = new URL(location.href);
    url.searchParams.set("lang", wanted);
    history.replaceState(null, "", url);
    readiness();
  });
  window.addEventListener("hashchange", show);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
  show();
  greet();
  setInterval(() => document.hidden || readiness(), READY_MS);
  document.documentElement.dataset.started = "yes";
  performance.mark("started");
}

start();
