// Side by side: one prompt to the base and up to three others at once, timed, with the differences marked.

import { stream } from "./api.js";
import { byId, h, redraw } from "./dom.js";
import { differences } from "./diff.js";
import { explain, notice, tell } from "./notices.js";
import { base, models, offer, readModels } from "./models.js";
import { count, t } from "./strings.js";

const OTHERS = 3;
const view = () => byId("view-compare");
let asked = null; // { stop, columns }

export function start() {
  const places = [...Array(OTHERS).keys()];
  byId("compare-models").append(...places.map((place) =>
    h("label", {}, h("span", { "data-text": "other", "data-number": place + 1 }, t("other", { number: place + 1 })),
      h("select", { id: `compare-model-${place}` }))));
  byId("compare-form").addEventListener("submit", (event) => {
    event.preventDefault();
    askAll();
  });
  byId("compare-stop").addEventListener("click", () => asked?.stop.abort());
}

export async function poll() {
  try {
    await readModels();
    tell(view().querySelector(".notices"), models().length > 1 ? [] : notice("info", t("nothing_to_compare")));
  } catch (error) {
    tell(view().querySelector(".notices"), explain(error));
  }
  const tasks = models().filter((model) => model.kind !== "base");
  for (let place = 0; place < OTHERS; place += 1) {
    const select = byId(`compare-model-${place}`);
    if (document.activeElement !== select) offer(select, { none: true, wanted: place === 0 ? tasks[0]?.id : "" });
  }
}

export function draw() {
  asked?.columns.forEach((column) => column.draw());
}

async function askAll() {
  asked?.stop.abort();
  if (!base()) await poll();
  if (!base()) return;
  const others = [...Array(OTHERS).keys()].map((place) => byId(`compare-model-${place}`).value).filter(Boolean);
  const stop = new AbortController();
  const columns = [base().id, ...others].map((model) => new Column(model));
  const mine = { stop, columns };
  asked = mine;
  redraw(byId("answers"), columns.map((column) => column.element));
  byId("compare-stop").disabled = false;
  await Promise.all(columns.map((column) => column.run(stop.signal)));
  if (asked !== mine) return;
  byId("compare-stop").disabled = true;
  for (const column of columns.slice(1)) column.compareWith(columns[0].text);
}

/** One answer: its text, its times and how it ended. */
class Column {
  constructor(model) {
    Object.assign(this, { model, text: "", answeredBy: "", tokens: 0, firstS: null, totalS: null, ending: "running", error: null, compared: null });
    this.output = h("div", { class: "text", tabindex: "0", role: "group" });
    this.times = h("div", { class: "times" });
    this.state = h("div", { role: "status" });
    this.element = h("article", { class: "answer" }, h("h3", {}, model), this.times, this.output, this.state);
    this.draw();
  }

  async run(signal) {
    const startedMs = performance.now();
    const sinceS = () => (performance.now() - startedMs) / 1000;
    const temperature = byId("compare-temperature").value;
    const body = {
      model: this.model,
      messages: [{ role: "user", content: byId("compare-prompt").value }],
      max_tokens: Number(byId("compare-tokens").value),
      stream: true,
      stream_options: { include_usage: true },
      ...(temperature === "" ? {} : { temperature: Number(temperature) }),
    };
    try {
      for await (const chunk of stream("chat", { body, signal })) this.take(chunk, sinceS);
      this.ending = "complete";
    } catch (error) {
      this.ending = error.name === "AbortError" ? "stopped" : "failed";
      if (this.ending === "failed") this.error = error;
    }
    this.totalS = sinceS();
    this.draw();
  }

  take(chunk, sinceS) {
    this.answeredBy = chunk.model ?? this.answeredBy;
    const piece = chunk.choices?.[0]?.delta?.content;
    if (piece) {
      this.firstS ??= sinceS();
      this.text += piece;
      this.tokens += 1;
      this.output.append(piece);
    }
    if (chunk.usage) this.tokens = chunk.usage.completion_tokens;
    this.drawTimes();
  }

  compareWith(first) {
    if (this.text && first) this.compared = differences(first, this.text);
    this.draw();
  }

  draw() {
    this.drawTimes();
    this.output.setAttribute("aria-label", t("answer_of", { model: this.model }));
    const runs = this.compared?.runs ?? (this.text ? [{ text: this.text, same: true }] : []);
    this.output.replaceChildren(...runs.map(({ text, same }) => (same ? text : h("mark", {}, text))));
    const told = [];
    if (this.ending === "stopped") told.push(notice("info", t("stopped")));
    if (this.error) told.push(explain(this.error));
    if (this.ending === "complete" && !this.text) told.push(notice("info", t("empty_answer")));
    if (this.compared) told.push(h("p", { class: "quiet" }, t("in_common", { same: this.compared.same, of: this.compared.of })));
    redraw(this.state, told);
  }

  drawTimes() {
    const speed = this.totalS && this.tokens ? (this.tokens / this.totalS).toFixed(1) : "–";
    const seconds = (value) => (value === null ? "–" : `${value.toFixed(2)} s`);
    const figures = [
      [t("answered_by"), this.answeredBy || "–"],
      ["TTFT", seconds(this.firstS)],
      [t("total"), seconds(this.totalS)],
      [t("tokens"), count(this.tokens)],
      [t("tokens_per_s"), speed],
    ];
    redraw(this.times, figures.map(([name, value]) => h("span", {}, h("small", {}, name), " ", h("b", {}, value))));
  }
}
