// What happened lately, the newest first; asked on from the number of the last event seen.

import { ask } from "./api.js";
import { byId, h, redraw } from "./dom.js";
import { explain, notice, tell } from "./notices.js";
import { moment, t } from "./strings.js";

const KEPT = 500;
const BAD = new Set(["alias_kept", "dock_failed", "engine_died", "engine_restart_failed", "key_refused", "keys_unreadable",
  "not_docked", "store_unreadable", "traffic_unreadable"]);

const view = () => byId("view-events");
let kept = []; // oldest first
let cursor = 0;

export async function poll() {
  try {
    // From the last one seen: if it is not there any more, the server was started anew.
    const { events } = await ask("events", { query: { after: Math.max(cursor - 1, 0), limit: KEPT } });
    if (cursor && !(events.length && continues(events[0]))) {
      kept = [];
      cursor = 0;
      await poll();
      return;
    }
    take(events);
    tell(view().querySelector(".notices"), kept.length ? [] : notice("info", t("no_events")));
  } catch (error) {
    tell(view().querySelector(".notices"), error.code === "not_found" ? notice("info", t("admin_elsewhere")) : explain(error));
  }
}

const alike = (one, other) => ["kind", "subject", "reason"].every((name) => one[name] === other[name]);

/** Whether an event is the last one seen, or that one again with a higher count. */
function continues(event) {
  const last = kept.at(-1);
  return (event.number === last.number && event.at === last.at) || (alike(event, last) && event.count > last.count);
}

function take(events) {
  const before = cursor;
  for (const event of events.filter(({ number }) => number > before)) {
    if (kept.length && event.count > 1 && alike(event, kept.at(-1))) kept.pop();
    kept.push(event);
    cursor = event.number;
  }
  kept = kept.slice(-KEPT);
  if (cursor !== before) draw();
}

export function draw() {
  if (!kept.length) return;
  redraw(view().querySelector(".body"),
    h("p", { class: "quiet" }, t("cursor", { number: cursor })),
    h("ol", { class: "events" }, [...kept].reverse().map((event) => h("li", { class: BAD.has(event.kind) ? "bad" : null },
      h("time", { datetime: event.at }, moment(event.at)),
      h("span", { class: "kind" }, t(`event_${event.kind}`)),
      h("span", { class: "subject" }, event.subject, event.count > 1 ? h("span", { class: "quiet" }, ` ×${event.count}`) : []),
      h("span", { class: "quiet" }, event.reason)))));
}
