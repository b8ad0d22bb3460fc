// Watches the audit log of the server: this browser keeps its last checkpoint for each user, and checks that the log
// only grows, as approver_tui/client/audit/log_witness.py does. An alarm stays until the user accepts the log.
import { isConsistent } from "/merkle.js";
import { BadNote, decoded, readCheckpoint, readKey, replaced } from "/notes.js";
import { call } from "/passkey.js";

const NAME = `sayso-log-${document.body.dataset.user}`;
const MINUTE = 60000;

/** The log as this browser last saw it, with an alarm if it is not trusted any more; null at first. */
export function kept() {
  try {
    return JSON.parse(localStorage.getItem(NAME));
  } catch {
    return null;
  }
}

/** Call this now, and when what is kept changes, also in another tab. */
export function follow(show) {
  for (const change of ["log", "storage"]) addEventListener(change, show);
  show();
}

function keep(log) {
  localStorage.setItem(NAME, JSON.stringify(log));
  dispatchEvent(new Event("log"));
}

const proof = (path) => call("GET", `/api/audit/${path}`, undefined, { signal: AbortSignal.timeout(MINUTE / 6) });

/** The key that signed a checkpoint: the kept one, or one that it vouches for; null for another. */
async function signer(note, pinned) {
  const isBy = (key) => readCheckpoint(note, key).then(() => true, (error) => error instanceof BadNote ? false : Promise.reject(error));
  if (await isBy(pinned)) return pinned;
  let key = pinned;
  for (const each of (await proof("keys")).replacements) key = await replaced(each.note ?? "", key).catch(() => key);
  return (await isBy(key)) ? key : null;
}

/** What is kept after the server's answer: its newer checkpoint, or an alarm. */
async function compared(log, { pinned, old }) {
  const { checkpoint, hashes } = await proof(`consistency?from=${old.size}`);
  const alarm = (words) => ({ ...log, alarm: words, evidence: checkpoint });
  const key = await signer(checkpoint, pinned);
  if (!key) return alarm("Another key signs the audit log, and the key before it does not name that one.");
  const found = await readCheckpoint(checkpoint, key);
  if (found.size < old.size) return alarm(`The audit log has ${found.size} entries, and it had ${old.size}.`);
  const grew = await isConsistent(old, found, hashes.map(decoded));
  if (!grew) return alarm(`The first ${old.size} entries of the audit log are not the ones that were there.`);
  return { log_key: key.text, checkpoint };
}

/** The first checkpoint and its key. */
async function begun() {
  const { log_key: text } = await proof("keys");
  const { checkpoint } = await proof("consistency?from=0");
  const log = { log_key: text, checkpoint };
  await read(log);
  return log;
}

/** The key and checkpoint of what is kept; they were verified when it was stored. */
async function read({ log_key: text, checkpoint }) {
  const pinned = await readKey(text);
  return { pinned, old: await readCheckpoint(checkpoint, pinned) };
}

async function compare() {
  const log = kept();
  if (log?.alarm) return;
  const last = await read(Object(log)).catch(() => null);
  keep(await (last ? compared(log, last) : begun()));
}

/** Compare the server's log with the kept checkpoint, one page after the other. */
export const watch = () => navigator.locks.request(NAME, compare).catch(() => {}); // the next check is soon

/** Start again with the log as it is. The kept checkpoint stays next to it, as evidence. */
export async function accept() {
  await navigator.locks.request(NAME, async () => {
    const log = await begun();
    localStorage.setItem(`${NAME}-${Date.now()}`, localStorage.getItem(NAME));
    keep(log);
  });
}

/** The number of entries at the kept checkpoint. */
export const size = () => Number(kept()?.checkpoint?.split("\n")[1] ?? 0);

const banner = document.getElementById("log-alarm");
follow(() => (banner.hidden = !kept()?.alarm));
setInterval(() => document.hidden || watch(), MINUTE);
watch();
