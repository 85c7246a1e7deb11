// Changes to what is served: each is named exactly, confirmed, made, and its outcome said.

import { ask } from "./api.js";
import { byId, h, redraw } from "./dom.js";
import { explain, notice, tell } from "./notices.js";
import { fresh } from "./standing.js";
import { t } from "./strings.js";

let asked = 0; // counts dialogs: what a change comes to is told where its own dialog no longer is

/** Ask in the dialog; `effects` of the fields' values are lines, or null where nothing would change. */
function confirm({ title, action, fields = [], effects, act }) {
  const dialog = byId("confirm");
  const form = dialog.querySelector("form");
  const [doIt, cancel] = [form.querySelector(".main"), form.querySelector(".cancel")];
  const values = () => Object.fromEntries([...form.querySelectorAll("input")].map((input) => [input.name, input.value.trim()]));
  const say = () => {
    const lines = effects(values());
    redraw(form.querySelector(".consequences"), (lines ?? [t("nothing_changes")]).map((line) => h("li", {}, line)));
    doIt.disabled = lines === null;
  };
  asked += 1;
  const mine = asked;
  const isShown = () => dialog.open && asked === mine;
  byId("h-confirm").textContent = title;
  doIt.textContent = action;
  tell(form.querySelector(".notices"));
  redraw(form.querySelector(".fields"), fields);
  say();
  form.oninput = say;
  form.onsubmit = async (event) => {
    event.preventDefault();
    doIt.disabled = true;
    tell(form.querySelector(".notices"), notice("info", t("working")));
    try {
      announce("good", await act(values()));
      if (isShown()) dialog.close();
    } catch (error) {
      const told = explain(error);
      if (!isShown()) {
        announce("bad", told.textContent);
        return;
      }
      doIt.disabled = false;
      tell(form.querySelector(".notices"), told);
    }
  };
  dialog.showModal();
  (fields.length ? form.querySelector("input") : cancel).focus();
}

function announce(kind, text) {
  const place = byId("said");
  place.className = `notice ${kind}`;
  place.textContent = text;
  place.hidden = false;
}

function field(id, label, value, attributes = {}) {
  return h("label", {}, h("span", {}, label), h("input", { id, name: id.replace("change-", ""), value, ...attributes }));
}

const why = () => field("change-why", t("why"), "", { maxlength: 500, placeholder: t("why_optional") });

/** What becomes of the version that an alias leaves. */
function afterwards(adapter, alias, old) {
  const others = Object.entries(adapter.aliases).filter(([other, version]) => other !== alias && version === old);
  const leases = adapter.docked.find((one) => one.version === old)?.leases ?? 0;
  const lines = [];
  if (adapter.canaries[alias]) {
    lines.push(t("canary_ends", { alias, version: adapter.canaries[alias].version, percent: adapter.canaries[alias].percent }));
  }
  if (others.length) lines.push(t("stays_served", { version: old, aliases: others.map(([other]) => other).join(", ") }));
  else if (adapter.pins.includes(old)) lines.push(t("stays_pinned", { version: old }));
  else lines.push(t("old_drains", { version: old, requests: leases }));
  return lines;
}

function moveEffects(adapter, alias, version) {
  const now = adapter.aliases[alias];
  if (now === version) return null;
  const subject = `${adapter.name}@${alias}`;
  const lines = [now === undefined
    ? t("alias_new", { subject, version })
    : t("alias_moves", { subject, now, version })];
  const docked = adapter.docked.find((one) => one.version === version)?.state === "docked";
  lines.push(t(docked ? "is_docked" : "docked_first", { version }));
  return now === undefined ? lines : [...lines, ...afterwards(adapter, alias, now)];
}

const moved = (move) => t(move.previous === null ? "alias_made" : "alias_moved", {
  subject: `${move.name}@${move.alias}`, version: move.version, previous: move.previous,
});

const withWhy = (body, given) => (given ? { ...body, why: given } : body);

/** Look again, and do nothing if the adapter is gone meanwhile; the view then says so. */
async function looked(name, then) {
  const now = await fresh(name);
  if (now.adapter) then(now);
}

export const promote = (name, version) => looked(name, ({ adapter }) => confirm({
  title: t("promote_title", { subject: `${name}@${version}` }),
  action: t("promote"),
  fields: [
    field("change-alias", t("alias"), "stable", { list: "known-aliases", required: true, pattern: "[a-z][a-z0-9._\\-]{0,63}", autocapitalize: "none" }),
    h("datalist", { id: "known-aliases" }, Object.keys(adapter.aliases).map((alias) => h("option", { value: alias }))),
    why(),
  ],
  effects: ({ alias }) => moveEffects(adapter, alias, version),
  act: async (given) => moved(await ask("promote", { name, body: withWhy({ version, alias: given.alias }, given.why) })),
}));

export const rollBack = (name, alias) => looked(name, ({ adapter, facts }) => confirm({
  title: t("rollback_title", { subject: `${name}@${alias}` }),
  action: t("rollback"),
  fields: [why()],
  effects: () => (facts?.rollback[alias] ? moveEffects(adapter, alias, facts.rollback[alias]) : null),
  act: async (given) => moved(await ask("rollback", { name, body: withWhy({ alias }, given.why) })),
}));

function versionChange(what, effects) {
  return (name, version) => looked(name, (now) => confirm({
    title: t(`${what}_title`, { subject: `${name}@${version}` }),
    action: t(what),
    effects: () => effects(now, `${name}@${version}`, version),
    act: async () => {
      await ask(what, { name, body: { version } });
      return t(`${what}_done`, { subject: `${name}@${version}` });
    },
  }));
}

export const unload = versionChange("unload", ({ adapter }, subject, version) => [
  t("unload_effect", { subject, requests: adapter.docked.find((one) => one.version === version)?.leases ?? 0 }),
  t("unload_again", { subject }),
]);
export const load = versionChange("load", ({ free }, subject) => [t("load_effect", { subject }), t("load_places", { free })]);
export const pin = versionChange("pin", (_, subject) => [t("pin_effect", { subject }), t("on_all_servers")]);
export const unpin = versionChange("unpin", (_, subject) => [t("unpin_effect", { subject }), t("on_all_servers")]);
