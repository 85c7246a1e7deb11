// Tokens per second, latency and queue of each adapter over the last minute, from `/metrics`.

import { askText } from "./api.js";
import { byId, h, redraw, sparkline, table, tableRow } from "./dom.js";
import { growth, parse, quantile, sum } from "./exposition.js";
import { explain, notice, tell } from "./notices.js";
import { base } from "./models.js";
import { count, t } from "./strings.js";

const WINDOW_MS = 60_000;
const STREAMED = ["loradock_inter_token_seconds_count", "loradock_time_to_first_token_seconds_count"];
const OF_SERVED = ["loradock_requests_in_flight", "loradock_leases", "loradock_output_tokens_total", "loradock_requests_total"];
const NOT_SERVED = new Set(["none", "other"]);

const view = () => byId("view-live");
let readings = []; // { atMs, series }, oldest first
const speeds = new Map(); // by adapter and version, the last streamed tokens a second

export async function poll() {
  try {
    const series = parse(await askText("metrics"));
    const atMs = performance.now();
    readings = [...readings.filter((one) => atMs - one.atMs <= WINDOW_MS), { atMs, series }];
    note();
    tell(view().querySelector(".notices"), state(series));
  } catch (error) {
    readings = [];
    tell(view().querySelector(".notices"), explain(error));
  }
  draw();
}

function state(series) {
  const told = [];
  if (!sum(series, "loradock_engine_up")) told.push(notice("bad", t("engine_down")));
  if (series.has("loradock_store_readable") && !sum(series, "loradock_store_readable")) told.push(notice("bad", t("store_unreadable")));
  if (sum(series, "loradock_draining")) told.push(notice("bad", t("shutting_down")));
  const asked = served(series).some((one) => rowGrowth(one, "loradock_requests_total"));
  if (!asked && !sum(series, "loradock_requests_in_flight")) told.push(notice("info", t("no_traffic")));
  return told;
}

/** Every adapter and version that has answered, or could at once; the base first. */
function served(series) {
  const found = new Map();
  for (const name of OF_SERVED) {
    for (const { labels: { adapter, version } } of series.get(name) ?? []) {
      if (!NOT_SERVED.has(adapter)) found.set(`${adapter}@${version}`, { adapter, version });
    }
  }
  const order = ({ adapter, version }) => (adapter === "base" ? "" : `${adapter}@${version.padStart(9)}`);
  return [...found.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

function note() {
  if (readings.length < 2) return;
  const [before, now] = readings.slice(-2);
  const seconds = (now.atMs - before.atMs) / 1000;
  for (const one of served(now.series)) {
    const tokens = STREAMED.reduce((total, name) => total + growth(before.series, now.series, name, one), 0);
    const key = `${one.adapter}@${one.version}`;
    speeds.set(key, [...(speeds.get(key) ?? []), tokens / seconds].slice(-30));
  }
}

const rowGrowth = (one, name, more = {}) => growth(readings[0].series, readings.at(-1).series, name, { ...one, ...more });

function time(seconds) {
  if (seconds === null) return "–";
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  return `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
}

function row(one, heads) {
  const now = readings.at(-1);
  const seconds = Math.max((now.atMs - readings[0].atMs) / 1000, 1e-9);
  const key = `${one.adapter}@${one.version}`;
  const quantileOf = (name, q) => {
    const value = readings.length > 1 ? quantile(readings[0].series, now.series, name, one, q) : null;
    return [time(value), "number"];
  };
  const total = sum(now.series, "loradock_requests_total", one);
  const wrong = (now.series.get("loradock_requests_total") ?? []).filter(({ labels }) =>
    labels.adapter === one.adapter && labels.version === one.version && Number(labels.code) >= 400);
  const inFlight = sum(now.series, "loradock_requests_in_flight", one);
  const waiting = Math.max(0, sum(now.series, "loradock_leases", one) - inFlight);
  const streamed = speeds.get(key) ?? [0];
  return tableRow(heads, [
    h("strong", {}, one.adapter === "base" ? base()?.id ?? t("base") : key),
    [h("span", {}, streamed.at(-1).toFixed(1), " ", sparkline(streamed, t("last_speeds"))), "number"],
    [(readings.length > 1 ? rowGrowth(one, "loradock_output_tokens_total") / seconds : 0).toFixed(1), "number"],
    quantileOf("loradock_time_to_first_token_seconds", 0.5),
    quantileOf("loradock_request_duration_seconds", 0.5),
    quantileOf("loradock_request_duration_seconds", 0.95),
    [count(inFlight), "number"],
    [count(waiting), "number"],
    quantileOf("loradock_queue_seconds", 0.95),
    [count(total), "number"],
    [count(wrong.reduce((all, { value }) => all + value, 0)), "number"],
  ]);
}

export function draw() {
  if (!readings.length) {
    redraw(view().querySelector(".body"));
    return;
  }
  const { series } = readings.at(-1);
  const heads = [t("adapter"), t("streaming_now"), t("tokens_per_s"), t("ttft_median"), t("latency_median"), t("latency_95"),
    t("in_engine"), t("waiting"), t("queue_95"), t("requests_total"), t("errors_total")];
  redraw(view().querySelector(".body"),
    h("p", { class: "quiet" }, t("live_line", {
      queued: count(sum(series, "loradock_requests_queued")),
      docked: count(sum(series, "loradock_docked_versions")),
      restarts: count(sum(series, "loradock_engine_restarts_total")),
    })),
    table(t("live"), heads, served(series).map((one) => row(one, heads))),
    h("p", { class: "quiet" }, t("live_note")));
}
