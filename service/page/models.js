// What `model` may name, for the views in which one is chosen.

import { ask } from "./api.js";
import { h } from "./dom.js";
import { t } from "./strings.js";

let known = [];

export async function readModels() {
  known = (await ask("models")).data;
  return known;
}

export const models = () => known;
export const base = () => known.find((model) => model.kind === "base");

function label(model) {
  const serves = model.serves && model.serves !== model.id ? ` → ${model.serves}` : "";
  return `${model.id}${serves}`;
}

/** Fill a choice with adapters and versions; what was chosen stays, or else `wanted`, if it is there. */
export function offer(select, { none = false, wanted = "" } = {}) {
  const adapters = known.filter((model) => model.kind !== "base");
  const before = select.options.length ? select.value : wanted;
  const options = adapters.map((model) => h("option", { value: model.id }, label(model)));
  if (none) options.unshift(h("option", { value: "" }, t("none")));
  select.replaceChildren(...options);
  const there = [...select.options].some((option) => option.value === before);
  select.value = there ? before : select.options[0]?.value ?? "";
}
