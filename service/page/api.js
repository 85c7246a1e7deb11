// Asks the server. The keys live in this module's memory, and nowhere else: a reload forgets them.

export const ROUTES = {
  ready: "GET /health/ready",
  models: "GET /v1/models",
  chat: "POST /v1/chat/completions",
  solve: "POST /v1/pseudocode/solve",
  metrics: "GET /metrics",
  adapters: "GET /admin/adapters",
  adapter: "GET /admin/adapters/{name}",
  promote: "POST /admin/adapters/{name}/promote",
  rollback: "POST /admin/adapters/{name}/rollback",
  load: "POST /admin/adapters/{name}/load",
  unload: "POST /admin/adapters/{name}/unload",
  pin: "POST /admin/adapters/{name}/pin",
  unpin: "POST /admin/adapters/{name}/unpin",
  events: "GET /admin/events",
};

const keys = { api: "", admin: "" };
// Roles that were answered 401: asked again only with another key, since each refusal is an event.
const locked = new Set();

/** Take in keys; an empty one leaves that which is held. */
export function setKeys(api, admin) {
  keys.api = api.trim() || keys.api;
  keys.admin = admin.trim() || keys.admin;
  locked.clear();
}

export function forgetKeys() {
  keys.api = "";
  keys.admin = "";
  locked.clear();
}

export const hasKey = (role) => keys[role] !== "";

/** What kept the server from answering as asked. `status` 0: it did not answer at all. */
export class Refusal extends Error {
  constructor(status, code, message, { role = null, retryAfterS = 0 } = {}) {
    super(message);
    Object.assign(this, { status, code, role, retryAfterS });
  }
}

function roleOf(path) {
  if (path.startsWith("/admin")) return "admin";
  // Either key opens it; the other one, if one was refused.
  if (path === "/metrics") return keys.admin && !locked.has("admin") ? "admin" : "api";
  return path.startsWith("/v1") ? "api" : null;
}

async function send(route, { name = "", query = {}, body, signal } = {}) {
  const [method, template] = ROUTES[route].split(" ");
  const path = template.replace("{name}", encodeURIComponent(name));
  const role = roleOf(template);
  if (locked.has(role)) {
    throw new Refusal(401, keys[role] ? "key_refused" : "key_missing", "", { role });
  }
  const url = new URL(`.${path}`, document.baseURI);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  const headers = {};
  if (role && keys[role]) headers.Authorization = `Bearer ${keys[role]}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(url, {
      method, headers, signal, body: body && JSON.stringify(body), cache: "no-store", credentials: "omit",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "unreachable", "");
  }
  if (!response.ok) throw await refusal(response, role);
  return response;
}

async function refusal(response, role) {
  let problem = {};
  try {
    problem = (await response.json()).error ?? {};
  } catch {
    // A proxy in between answers in its own words; the status says enough.
  }
  const retryAfterS = Number(response.headers.get("retry-after")) || 0;
  if (response.status === 401) {
    locked.add(role);
    return new Refusal(401, keys[role] ? "key_refused" : "key_missing", "", { role });
  }
  return new Refusal(response.status, problem.code ?? "", problem.message ?? "", { role, retryAfterS });
}

export async function ask(route, options) {
  return (await send(route, options)).json();
}

export async function askText(route, options) {
  return (await send(route, options)).text();
}

/** The events of a stream, each as what its JSON holds; one that is cut ends in a Refusal. */
export async function* stream(route, options) {
  const response = await send(route, options);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    let piece;
    try {
      piece = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal(0, "cut", "");
    }
    if (piece.done) throw new Refusal(0, "cut", "");
    const events = (rest + piece.value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      // Whatever else a proxy may put in, such as a comment that keeps the connection open.
      if (!event.startsWith("data: ")) continue;
      const data = event.slice("data: ".length);
      if (data === "[DONE]") return;
      const content = JSON.parse(data);
      if (content.error) throw new Refusal(0, content.error.code ?? "", content.error.message ?? "");
      yield content;
    }
  }
}
