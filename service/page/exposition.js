// Reads Prometheus' text, and what changed between two readings of it.

const LINE = /^(loradock_\w+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES = { "\\\\": "\\", '\\"': '"', "\\n": "\n" };

/** Our series: by name a list of `{ labels, value }`. The engine's own are passed over. */
export function parse(text) {
  const series = new Map();
  for (const line of text.split("\n")) {
    const found = LINE.exec(line);
    if (!found) continue;
    const labels = {};
    for (const [, name, value] of (found[2] ?? "").matchAll(LABEL)) {
      labels[name] = value.replace(/\\[\\"n]/g, (escape) => ESCAPES[escape]);
    }
    if (!series.has(found[1])) series.set(found[1], []);
    series.get(found[1]).push({ labels, value: Number(found[3].replace("+Inf", "Infinity")) });
  }
  return series;
}

/** The sum of a series over what matches all of `wanted`. */
export function sum(series, name, wanted = {}) {
  return (series.get(name) ?? [])
    .filter(({ labels }) => Object.entries(wanted).every(([label, value]) => labels[label] === value))
    .reduce((total, { value }) => total + value, 0);
}

/** The growth of a counter; a restart of the server counts from nothing. */
export function growth(before, after, name, wanted) {
  const now = sum(after, name, wanted);
  const then = sum(before, name, wanted);
  return now >= then ? now - then : now;
}

/** A quantile of what a histogram took in between two readings, null if that was nothing. */
export function quantile(before, after, name, wanted, q) {
  const edges = (after.get(`${name}_bucket`) ?? [])
    .filter(({ labels }) => Object.entries(wanted).every(([label, value]) => labels[label] === value))
    .map(({ labels }) => labels.le);
  const counts = edges.map((le) => growth(before, after, `${name}_bucket`, { ...wanted, le }));
  const total = counts.at(-1) ?? 0;
  if (!total) return null;
  const place = counts.findIndex((count) => count >= q * total);
  const upper = Number(edges[place].replace("+Inf", "Infinity"));
  const lower = place ? Number(edges[place - 1]) : 0;
  if (!Number.isFinite(upper)) return lower;
  const below = place ? counts[place - 1] : 0;
  return lower + (upper - lower) * ((q * total - below) / (counts[place] - below));
}
