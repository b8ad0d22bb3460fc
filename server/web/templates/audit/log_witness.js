// Watches the audit log of the server: this browser keeps its last checkpoint for each user, and checks that the log
// only grows, as approver_tui/client/audit/log_witness.py does. An alarm stays until the user accepts the log.
import { isConsistent, isIncluded } from "/merkle.js";
import { BadNote, decoded, promised, readCheckpoint, readKey, replaced } from "/notes.js";
import { call } from "/passkey.js";

const NAME = `sayso-log-${document.body.dataset.user}`;
const PROMISES = `sayso-promises-${document.body.dataset.user}`;
const MINUTE = 60000;
const PROMISE_SECONDS = 60; // a promised entry is in each checkpoint that is this much later

function stored(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

/** The log as this browser last saw it, with an alarm if it is no longer trusted; null at first. */
export const kept = () => stored(NAME);

/** Call `show` now, and when the stored log changes, also in another tab. */
export function follow(show) {
  for (const change of ["log", "storage"]) addEventListener(change, show);
  show();
}

function keep(log) {
  localStorage.setItem(NAME, JSON.stringify(log));
  dispatchEvent(new Event("log"));
}

const proof = (path) => call("GET", `/api/audit/${path}`, undefined, { signal: AbortSignal.timeout(MINUTE / 6) });

/** The key that signed a checkpoint: the stored one, or one that it vouches for; otherwise null. */
async function signer(note, pinned) {
  const isBy = (key) => readCheckpoint(note, key).then(() => true, (error) => error instanceof BadNote ? false : Promise.reject(error));
  if (await isBy(pinned)) return pinned;
  let key = pinned;
  for (const each of (await proof("keys")).replacements) key = await replaced(each.note ?? "", key).catch(() => key);
  return (await isBy(key)) ? key : null;
}

/** The log to store after the server's answer: with its newer checkpoint, or an alarm. */
async function compared(log, { pinned, old }) {
  const { checkpoint, hashes } = await proof(`consistency?from=${old.size}`);
  const alarm = (words) => ({ ...log, alarm: words, evidence: checkpoint });
  const key = await signer(checkpoint, pinned);
  if (!key) return alarm("The audit log is signed with a new key that the previous key does not name.");
  const found = await readCheckpoint(checkpoint, key);
  if (found.size < old.size) return alarm(`The audit log has ${found.size} entries, but it had ${old.size} before.`);
  const grew = await isConsistent(old, found, hashes.map(decoded));
  if (!grew) return alarm(`The first ${old.size} entries of the audit log have changed.`);
  return { log_key: key.text, checkpoint };
}

// Promises that an entry is in the log are kept until a proof shows that it is.
const promises = () => Array.from(stored(PROMISES) ?? []).slice(-1000);
const keepPromises = (list) => localStorage.setItem(PROMISES, JSON.stringify(list));

/** The stored promises, with the contents of those that this key signed. */
async function given(key) {
  const found = promises().map(async (text) => {
    const note = new TextDecoder().decode(decoded(text));
    return { text, ...(await promised(note, key).catch(() => null)) };
  });
  return Promise.all(found);
}

async function isLogged({ id, leaf }, tree) {
  const answer = await proof(`${id}/inclusion?size=${tree.size}`).catch((error) => error);
  if (["not_found", "conflict"].includes(answer.code)) return false;
  if (answer instanceof Error) throw answer;
  return isIncluded(leaf, answer.index, tree, answer.hashes.map(decoded));
}

/** The log to store after its promises were compared with its checkpoint. */
async function settled(log, owed) {
  const { old: tree } = await read(log);
  for (const { text, id, leaf, at } of owed) {
    if (tree.at <= at) continue; // the checkpoint may be older than the entry
    if (!id || (await isLogged({ id, leaf }, tree))) {
      keepPromises(promises().filter((each) => each !== text));
    } else if (tree.at >= at + PROMISE_SECONDS) {
      const alarm = `Entry ${id} of the audit log is missing, although the server promised it.`;
      return { ...log, alarm, evidence: text };
    }
  }
  return log;
}

/** The first checkpoint and its key. */
async function begun() {
  const { log_key: text } = await proof("keys");
  const { checkpoint } = await proof("consistency?from=0");
  const log = { log_key: text, checkpoint };
  await read(log);
  return log;
}

/** The key and checkpoint of a stored log; they were verified when it was stored. */
async function read({ log_key: text, checkpoint }) {
  const pinned = await readKey(text);
  return { pinned, old: await readCheckpoint(checkpoint, pinned) };
}

/** Report an alarm, once; the next check tries again. */
async function report(log) {
  const { incident } = await call("POST", "/api/audit/alarms", { kept: log.checkpoint, shown: log.evidence });
  keep({ ...log, incident });
}

async function compare() {
  const log = kept();
  if (log?.alarm) return log.incident || report(log);
  const last = await read(Object(log)).catch(() => null);
  if (!last) return keep(await begun());
  const owed = await given(last.pinned);
  const next = await compared(log, last);
  keep(next.alarm ? next : await settled(next, owed));
  if (kept().alarm) await report(kept());
}

/** Compare the server's log with the stored checkpoint, one page after the other. */
export const watch = () => navigator.locks.request(NAME, compare).catch(() => {}); // the next check is soon

/** Start again with the log as it is. The old checkpoint is stored too, as evidence. */
export async function accept() {
  await navigator.locks.request(NAME, async () => {
    const log = await begun();
    localStorage.setItem(`${NAME}-${Date.now()}`, localStorage.getItem(NAME));
    localStorage.removeItem(PROMISES);
    keep(log);
  });
}

/** The number of entries at the stored checkpoint. */
export const size = () => Number(kept()?.checkpoint?.split("\n")[1] ?? 0);

addEventListener("promises", ({ detail }) => keepPromises([...promises(), ...detail]));
const banner = document.getElementById("log-alarm");
follow(() => (banner.hidden = !kept()?.alarm));
setInterval(() => document.hidden || watch(), MINUTE);
watch();
