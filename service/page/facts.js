// What is known of one version: lineage, data report, run, settings and evaluations.

import { h, pairs } from "./dom.js";
import { count, date, t } from "./strings.js";

const TOLD_FIGURES = 40;

const figure = (value) => (typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value));

/** The figures within nested results, by their path; lists count as what they hold. */
function figures(results, path = "") {
  return Object.entries(results).flatMap(([name, value]) => {
    const here = path ? `${path}.${name}` : name;
    return value !== null && typeof value === "object" ? figures(value, here) : [[here, value]];
  });
}

/** The latest evaluation in a few words, or else the loss that training noted. */
export function evaluationInBrief(version) {
  const latest = version.evaluations.at(-1);
  const metrics = latest && (figures(latest.results.metrics ?? {}).length ? latest.results.metrics : latest.results);
  const told = latest ? figures(metrics).filter(([, value]) => typeof value === "number").slice(0, 2) : [];
  if (told.length) return told.map(([name, value]) => `${name} ${figure(value)}`).join(", ");
  const { held_out_loss: held, final_loss: last } = version.training;
  if (held !== undefined) return t("held_out_loss", { loss: figure(held) });
  if (last !== undefined) return t("final_loss", { loss: figure(last) });
  return t("not_evaluated");
}

/** A version and what it continues, the youngest first, down to the base. */
export function chain(facts, number) {
  const found = [];
  let reference = `${facts.name}@${number}`;
  while (reference && !found.includes(reference)) {
    found.push(reference);
    const here = facts.versions.find((one) => `${facts.name}@${one.version}` === reference);
    reference = here?.parent;
  }
  const first = facts.versions.find((one) => one.version === number);
  return [...found, first.base];
}

function dataOf(data) {
  if (!data) return t("data_unknown");
  return pairs([
    [t("rows_label"), count(data.rows)],
    [t("sources"), data.sources.join(", ")],
    [t("licence"), data.licence ?? t("not_said")],
    ["SHA-256", h("code", {}, data.content_sha256)],
  ]);
}

function evaluationsOf(evaluations) {
  if (!evaluations.length) return t("evaluate_hint");
  return [...evaluations].reverse().map((one) => {
    const told = figures(one.results);
    const left = told.length - TOLD_FIGURES;
    return h("div", {}, h("p", { class: "quiet" }, date(one.recorded)),
      pairs(told.slice(0, TOLD_FIGURES).map(([name, value]) => [name, value === null ? "–" : figure(value)])),
      left > 0 ? h("p", { class: "quiet" }, t("more_figures", { count: left })) : []);
  });
}

/** All of it, as blocks beside each other. */
export function details(version, lineage) {
  const { run, lora } = version;
  const block = (title, ...content) => h("div", {}, h("h4", {}, title), ...content);
  const training = Object.entries(version.training).filter(([name]) => !["base", "task"].includes(name));
  return h("div", { class: "facts" },
    block(t("lineage"), h("p", {}, lineage.join(" ← ")), pairs([
      [t("published"), date(version.created)],
      [t("base"), version.base],
      [t("task"), version.training.task],
      ["LoRA", t("lora", { rank: lora.rank, alpha: figure(lora.alpha) })],
      [t("targets"), lora.targets.join(", ")],
    ])),
    block(t("data_report"), dataOf(version.data)),
    block(t("run"), run ? pairs([
      [t("duration"), t("seconds", { seconds: count(Math.round(run.seconds)) })],
      [t("hardware"), run.hardware],
      [t("seed"), String(run.seed)],
    ]) : t("not_said"), pairs(training.map(([name, value]) => [name, figure(value)]))),
    block(t("evaluation"), evaluationsOf(version.evaluations)));
}
