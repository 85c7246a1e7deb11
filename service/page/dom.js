// Builds elements. What comes from outside only ever becomes text or a plain attribute.

export const byId = (id) => document.getElementById(id);

/** An element with attributes (`on` holds listeners) and children; text stays text. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== undefined && value !== null && value !== false) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A button that says what it does; `id` keeps the focus on it while its surroundings are drawn anew. */
export function button(id, text, listener, attributes = {}) {
  return h("button", { type: "button", id, on: { click: listener }, ...attributes }, text);
}

/** Replace what is inside, and keep the focus where it was if that is still there. */
export function redraw(container, ...children) {
  const focused = container.contains(document.activeElement) ? document.activeElement.id : "";
  container.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (focused) byId(focused)?.focus({ preventScroll: true });
}

/** A table that narrow screens show as blocks; the roles keep it a table for those who listen. */
export function table(caption, heads, rows) {
  const head = h("tr", { role: "row" }, heads.map((text) =>
    h("th", { role: "columnheader", scope: "col" }, text)));
  return h("table", { role: "table", "aria-label": caption },
    h("thead", { role: "rowgroup" }, head),
    h("tbody", { role: "rowgroup" }, rows));
}

/** One row; a cell is text, an element, or `[cell, class]`. */
export function tableRow(heads, cells) {
  return h("tr", { role: "row" }, cells.map((cell, place) => {
    const [content, kind] = Array.isArray(cell) ? cell : [cell, null];
    return h("td", { role: "cell", "data-label": heads[place], class: kind }, content);
  }));
}

/** Names and values, where a value may be missing. */
export function pairs(entries) {
  return h("dl", {}, entries.filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]).flat());
}

/** A line through the last values, highest at the top. */
export function sparkline(values, label) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const line = document.createElementNS(space, "polyline");
  const top = Math.max(...values, 1e-9);
  const points = values.map((value, place) =>
    `${(place * 80) / Math.max(values.length - 1, 1)},${15 - (14 * value) / top}`);
  line.setAttribute("points", points.join(" "));
  svg.setAttribute("viewBox", "0 0 80 16");
  svg.setAttribute("class", "sparkline");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.append(line);
  return svg;
}
