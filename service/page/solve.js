// A question to a program: its trace beside each line, the verdict, or the reason for no answer.

import { stream } from "./api.js";
import { byId, h, redraw, table, tableRow } from "./dom.js";
import { explain, notice, tell } from "./notices.js";
import { models, offer, readModels } from "./models.js";
import { count, t } from "./strings.js";

const PREFERRED = "pseudocode";
const view = () => byId("view-solve");
let stop = null;
let shown = null; // { steps, solution, error, stopped, seconds }

export function start() {
  byId("solve-form").addEventListener("submit", (event) => {
    event.preventDefault();
    solve();
  });
  byId("solve-stop").addEventListener("click", () => stop?.abort());
}

export async function poll() {
  try {
    await readModels();
    tell(view().querySelector(".notices"), models().length > 1 ? [] : notice("info", t("no_solver")));
  } catch (error) {
    tell(view().querySelector(".notices"), explain(error));
  }
  const select = byId("solve-model");
  if (document.activeElement !== select) offer(select, { wanted: PREFERRED });
}

async function solve() {
  stop?.abort();
  stop = new AbortController();
  const mine = { steps: [], solution: null, error: null, stopped: false, seconds: null };
  shown = mine;
  const startedMs = performance.now();
  byId("solve-stop").disabled = false;
  draw();
  const body = {
    question: byId("solve-question").value,
    model: byId("solve-model").value || PREFERRED,
    grammar: byId("solve-grammar").value,
    samples: Number(byId("solve-samples").value),
    stream: true,
  };
  try {
    for await (const event of stream("solve", { body, signal: stop.signal })) {
      if (event.object === "pseudocode.step") mine.steps.push(event);
      else mine.solution = event;
      if (shown === mine) draw();
    }
  } catch (error) {
    if (error.name === "AbortError") mine.stopped = true;
    else mine.error = error;
  }
  mine.seconds = (performance.now() - startedMs) / 1000;
  if (shown !== mine) return;
  byId("solve-stop").disabled = true;
  draw();
}

export function draw() {
  if (!shown) return;
  const { steps, solution, error, stopped } = shown;
  const parts = [];
  if (solution) parts.push(outcome(solution), program(linesOf(solution)), checks(solution));
  else if (steps.length) parts.push(program(steps.map(asLine)));
  if (stopped) parts.push(notice("info", t("stopped")));
  else if (error) parts.push(explain(error));
  else if (!solution) parts.push(notice("info", t("writing")));
  redraw(byId("solution"), parts);
}

const asLine = ({ line, name, expression, value }) =>
  ({ number: line, code: name === "return" ? `return ${expression}` : `${name} = ${expression}`, values: [value] });

/** The program line by line, each with the values it had; a line of a loop has several. */
function linesOf({ program: text, trace }) {
  if (!text) return [];
  return text.split("\n").map((code, place) => {
    const values = trace.filter((step) => step.line === place + 1).map((step) => step.value);
    return { number: place + 1, code, values };
  });
}

function program(lines) {
  if (!lines.length) return null;
  const heads = [t("line"), t("program"), t("value")];
  const built = table(t("program"), heads, lines.map(({ number, code, values }) => tableRow(heads, [
    [String(number), "number"], h("code", {}, code || " "), [values.join(", "), "value"],
  ])));
  built.classList.add("program");
  return built;
}

function outcome({ answer, abstained }) {
  if (abstained) {
    return h("p", { class: "outcome none", role: "status" }, h("strong", {}, t("no_answer_given")), " ", t(`abstained_${abstained}`));
  }
  return h("p", { class: "outcome", role: "status" }, h("small", {}, t("answer")), " ", h("strong", {}, answer));
}

function checks(solution) {
  const { verdict, alternatives, model, usage } = solution;
  const said = (value) => t(value === null ? "not_checked" : value ? "yes" : "no");
  const share = (value) => (value === null ? null : `${Math.round(value * 100)} %`);
  const entries = [
    [t("parsed"), said(verdict.parsed)],
    [t("executed"), said(verdict.executed)],
    [t("grounded"), said(verdict.grounded)],
    [t("agreement"), share(verdict.agreement)],
    [t("verifier_score"), share(verdict.verifier_score)],
    [t("limits"), verdict.limits.join(", ")],
    [t("other_answers"), alternatives.map((one) => `${one.answer} (${one.count}×${one.doubt ? `, ${t(`abstained_${one.doubt}`)}` : ""})`).join("; ")],
    [t("answered_by"), model],
    [t("tokens"), count(usage.completion_tokens)],
    [t("total"), shown.seconds === null ? "–" : `${shown.seconds.toFixed(2)} s`],
  ].filter(([, value]) => value);
  return h("div", { class: "verdict" }, h("h3", {}, t("verdict")),
    h("dl", {}, entries.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}
