// Says what is so and what to do: the states of a view, and every way a question can fail.

import { Refusal } from "./api.js";
import { button, byId, h, redraw } from "./dom.js";
import { t } from "./strings.js";

export function notice(kind, text, more = null, extra = null) {
  return h("p", { class: `notice ${kind}` }, text, more ? [" ", h("span", { class: "said", lang: "en" }, more)] : [],
    extra ? [" ", extra] : []);
}

const BY_CODE = {
  unreachable: "no_answer", cut: "cut", engine_unavailable: "engine_down", not_ready: "engine_down",
  not_found: "not_here", shutting_down: "shutting_down", overloaded: "overloaded", model_not_found: "model_gone",
  model_not_allowed: "forbidden", model_cannot_solve: "cannot_solve", no_free_place: "no_place", adapter_refused: "adapter_refused",
};
const BY_STATUS = { 403: "closed_between", 404: "closed_between", 409: "change_refused", 429: "too_many", 503: "not_now" };

/** A Refusal in the reader's language, with the server's own words behind it. */
export function explain(error) {
  if (!(error instanceof Refusal)) throw error;
  if (error.status === 401) {
    const key = `${error.code}_${error.role}`;
    const enter = button("enter-keys", t("keys_enter"), () => byId("open-keys").click());
    return notice("bad", t(key), null, byId("confirm").open ? null : enter);
  }
  const known = BY_CODE[error.code] ?? BY_STATUS[error.status];
  if (!known) return notice("bad", t("failed", { status: error.status || "–" }), error.message);
  return notice("bad", t(known, { seconds: error.retryAfterS }), error.message);
}

/** Show notices in a view; the same ones again are left alone, so that they are not read out again. */
export function tell(container, ...notices) {
  const shown = notices.flat().filter(Boolean);
  const words = (nodes) => nodes.map((node) => `${node.className}${node.textContent}`).join("\n");
  if (words([...container.children]) !== words(shown)) redraw(container, shown);
}
