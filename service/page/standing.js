// What the server says of its adapters: the list, the facts of each, or names alone where the key opens no more.

import { Refusal, ask } from "./api.js";
import { readModels } from "./models.js";

/** `facts` by name: `{ stamp, facts }`, read again when the stamp of the adapter has changed. */
export const standing = { list: null, readOnly: false, facts: new Map() };

/** Ask for all of it, the facts only of those that are `shown`; returns what was refused. */
export async function read(shown) {
  const refusals = [];
  if (await attempt(refusals, readList)) {
    await attempt(refusals, () => readFacts(shown));
    return refusals;
  }
  Object.assign(standing, { list: null, readOnly: true });
  if (refusals[0].status) await attempt(refusals, readNames);
  return refusals;
}

async function attempt(refusals, work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refusals.push(error);
    return false;
  }
}

async function readList() {
  Object.assign(standing, { list: await ask("adapters"), readOnly: false });
}

async function readNames() {
  standing.list = { adapters: fromModels(await readModels()), problems: {} };
}

async function readFacts(shown) {
  const { list, facts } = standing;
  for (const { name, versions, aliases, store_aliases: wanted } of list.adapters) {
    const stamp = JSON.stringify([versions, aliases, wanted]);
    if (!shown(name) || facts.get(name)?.stamp === stamp) continue;
    try {
      facts.set(name, { stamp, facts: await ask("adapter", { name }) });
    } catch (error) {
      // It may have been collected since the list was made; the next list says so.
      if (error.code !== "model_not_found") throw error;
    }
  }
}

function fromModels(all) {
  const found = new Map();
  for (const { id, kind, serves } of all) {
    if (kind === "base") continue;
    const [name, selector] = kind === "task" ? [id, "stable"] : id.split("@");
    if (!found.has(name)) {
      found.set(name, { name, versions: [], aliases: {}, docked: [], pins: [], canaries: {}, problems: {} });
    }
    if (kind === "version") found.get(name).versions.push(Number(selector));
    else found.get(name).aliases[selector] = Number(serves.split("@")[1]);
  }
  return [...found.values()];
}

/** Read one adapter again before somebody is asked to confirm: what is confirmed should be what is so. */
export async function fresh(name) {
  standing.facts.delete(name);
  await read((one) => one === name);
  const { list, facts } = standing;
  return {
    adapter: list?.adapters.find((one) => one.name === name),
    facts: facts.get(name)?.facts,
    free: list?.free_places,
  };
}
