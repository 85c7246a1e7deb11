// The adapters: versions, aliases, state, evaluation, lineage and data, and what can be done to them.

import { button, byId, h, redraw, table, tableRow } from "./dom.js";
import { chain, details, evaluationInBrief } from "./facts.js";
import * as changes from "./changes.js";
import { explain, notice, tell } from "./notices.js";
import { base } from "./models.js";
import { read, standing } from "./standing.js";
import { count, date, day, t } from "./strings.js";

const SHOWN_VERSIONS = 5;
const OPEN_AT_FIRST = 8;

const closed = new Map(); // by name, once a person has opened or closed it
const whole = new Set(); // names of which every version is shown
const opened = new Set(); // versions whose details are shown
let drawn = "";

const view = () => byId("view-adapters");
const factsOf = (name) => standing.facts.get(name)?.facts;

export async function poll() {
  const refusals = await read((name) => !isClosed(name));
  const notices = refusals.map((error) =>
    (error.code === "not_found" ? notice("info", t("admin_elsewhere")) : explain(error)));
  tell(view().querySelector(".notices"), notices.concat(standing.list ? overall() : []));
  draw();
}

const isClosed = (name) =>
  closed.get(name) ?? standing.list.adapters.findIndex((one) => one.name === name) >= OPEN_AT_FIRST;

function overall() {
  const { list } = standing;
  if (!list.adapters.length) return [notice("info", t("store_empty"), null, h("code", {}, "python -m training.sft --help"))];
  const told = Object.entries(list.problems).map(([subject, text]) => notice("bad", `${subject}:`, text));
  if (list.draining) told.push(notice("bad", t("shutting_down")));
  return told;
}

export function draw({ again = false } = {}) {
  const { list, readOnly, facts } = standing;
  const now = JSON.stringify([list, readOnly, [...closed], [...whole], [...opened], [...facts.values()], base()?.id]);
  if (now === drawn && !again) return;
  drawn = now;
  redraw(view().querySelector(".body"), list ? [places(), ...list.adapters.map(adapterBlock)] : []);
}

function places() {
  const { list, readOnly } = standing;
  if (readOnly || !list.adapters.length) return null;
  return h("p", { class: "quiet" }, t("places", { free: list.free_places, requests: list.under_way }));
}

function adapterBlock(adapter) {
  const { name } = adapter;
  const shut = isClosed(name);
  const toggle = button(`toggle-${name}`, name, () => {
    closed.set(name, !shut);
    poll();
  }, { class: "toggle", "aria-expanded": String(!shut) });
  return h("section", { class: "adapter", "data-adapter": name },
    h("div", { class: "head" }, h("h3", {}, toggle), aliasList(adapter)),
    Object.entries(adapter.problems).map(([subject, text]) => notice("bad", `${subject}:`, text)),
    shut ? [] : [versionTable(adapter), movesOf(name)].filter(Boolean));
}

function aliasList(adapter) {
  const rollback = factsOf(adapter.name)?.rollback ?? {};
  return h("ul", { class: "aliases" }, Object.entries(adapter.aliases).map(([alias, version]) => {
    const wanted = adapter.store_aliases?.[alias];
    const canary = adapter.canaries[alias];
    return h("li", {}, h("span", { class: "alias" }, `${alias} → ${version}`),
      wanted && wanted !== version ? h("span", { class: "warn" }, ` ${t("should_serve", { version: wanted })}`) : [],
      canary ? h("span", { class: "quiet" }, ` ${t("canary", { percent: canary.percent, version: canary.version })}`) : [],
      !standing.readOnly && rollback[alias] ? [" ", button(`rollback-${adapter.name}-${alias}`, t("rollback_dots"),
        () => changes.rollBack(adapter.name, alias), { class: "small" })] : []);
  }));
}

function versionTable(adapter) {
  const latest = [...adapter.versions].sort((a, b) => b - a);
  const shown = whole.has(adapter.name) ? latest : latest.slice(0, SHOWN_VERSIONS);
  const heads = standing.readOnly
    ? [t("version"), t("aliases")]
    : [t("version"), t("aliases"), t("state"), t("requests"), t("evaluation"), t("lineage"), t("data"), t("published"), t("actions")];
  const rows = shown.flatMap((number) => versionRows(adapter, number, heads));
  const more = latest.length > shown.length && button(`all-${adapter.name}`, t("all_versions", { count: latest.length }), () => {
    whole.add(adapter.name);
    draw();
  }, { class: "small" });
  return h("div", {}, table(t("versions_of", { name: adapter.name }), heads, rows), more || []);
}

function versionRows(adapter, number, heads) {
  const reference = `${adapter.name}@${number}`;
  const served = Object.entries(adapter.aliases).filter(([, version]) => version === number).map(([alias]) => alias);
  const cells = [h("strong", {}, String(number)), served.join(", ")];
  if (standing.readOnly) return [tableRow(heads, cells)];
  const known = factsOf(adapter.name)?.versions.find((one) => one.version === number);
  const berth = adapter.docked.find((one) => one.version === number);
  const open = opened.has(reference);
  cells.push(stateOf(adapter, number, berth), berth ? [String(berth.leases), "number"] : "",
    known ? evaluationInBrief(known) : "", known?.parent ?? (known ? t("no_parent") : ""),
    known?.data ? t("rows", { rows: count(known.data.rows) }) : known ? t("not_said") : "",
    known ? day(known.created) : "", [actions(adapter, number, berth, served, open), "actions"]);
  const rows = [tableRow(heads, cells)];
  if (open && known) {
    rows.push(h("tr", { role: "row", class: "details" },
      h("td", { role: "cell", colspan: heads.length }, details(known, chain(factsOf(adapter.name), number)))));
  }
  return rows;
}

function stateOf(adapter, number, berth) {
  const words = [berth ? t(`state_${berth.state}`) : t("state_none")];
  if (adapter.pins.includes(number)) words.push(t("pinned"));
  for (const [alias, canary] of Object.entries(adapter.canaries)) {
    if (canary.version === number) words.push(t("canary_of", { alias, percent: canary.percent }));
  }
  return h("span", { class: `state ${berth?.state ?? "none"}` }, words.join(" · "));
}

function actions(adapter, number, berth, served, open) {
  const { name } = adapter;
  const pinned = adapter.pins.includes(number);
  const canary = Object.values(adapter.canaries).some((one) => one.version === number);
  const id = (what) => `${what}-${name}-${number}`;
  const act = (what, text, change) => button(id(what), text, () => change(name, number),
    { class: "small", "aria-label": `${text} ${name}@${number}` });
  return [
    act("promote", t("promote_dots"), changes.promote),
    berth ? [] : act("load", t("load_dots"), changes.load),
    berth && !served.length && !pinned && !canary ? act("unload", t("unload_dots"), changes.unload) : [],
    pinned ? act("unpin", t("unpin_dots"), changes.unpin) : act("pin", t("pin_dots"), changes.pin),
    button(id("details"), t("details"), () => {
      if (!opened.delete(`${name}@${number}`)) opened.add(`${name}@${number}`);
      draw();
    }, { class: "small", "aria-expanded": String(open), "aria-label": `${t("details")} ${name}@${number}` }),
  ].flat();
}

function movesOf(name) {
  const found = factsOf(name);
  if (!found?.moves.length) return found?.problem ? notice("bad", t("records_unreadable"), found.problem) : null;
  const last = found.moves.slice(-5).reverse().map((move) => h("li", {},
    `${date(move.when)}  ${move.alias}: ${move.old ?? "–"} → ${move.new}`,
    h("span", { class: "quiet" }, `  ${move.who}: ${move.why}`)));
  return h("div", { class: "moves" }, h("h4", {}, t("moves")), h("ul", {}, last),
    found.problem ? notice("bad", t("records_unreadable"), found.problem) : []);
}

