// Reads what the key of the audit log signed (C2SP signed notes), as server/audit_log/notes.py does.
import { sha256 } from "/merkle.js";

const PLAIN = 1;
const TIMED = 4;
const bytes = (text) => new TextEncoder().encode(text);
const base64 = (data) => btoa(String.fromCharCode(...data));
const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A note is malformed, or the key did not sign it. */
export class BadNote extends Error {}

function must(holds, words) {
  if (!holds) throw new BadNote(words);
}

/** The bytes of Base64; none if it is not Base64. */
export function decoded(text) {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

const idOf = async (name, kind, key) => hex((await sha256(new Uint8Array([...bytes(`${name}\n`), kind, ...key]))).slice(0, 4));

/** Read a public key of a log from its text. */
export async function readKey(text) {
  const [name, id, ...rest] = text.split("+");
  const [kind, ...key] = decoded(rest.join("+"));
  must(name && kind === PLAIN && key.length === 32, "This is not the public key of a log.");
  const ids = { [PLAIN]: await idOf(name, PLAIN, key), [TIMED]: await idOf(name, TIMED, key) };
  must(id === ids[PLAIN], "The id in the key of the log does not belong to the key.");
  return { text, name, ids, key: new Uint8Array(key) };
}

function signatureOf(lines, { name, ids }, kind) {
  const begin = `— ${name} `;
  const found = lines.split("\n").filter((line) => line.startsWith(begin)).map((line) => decoded(line.slice(begin.length)));
  return found.find((each) => hex(each.slice(0, 4)) === ids[kind])?.slice(4) ?? new Uint8Array();
}

// A browser without Ed25519 compares only the id of the key.
async function check({ key }, text, signature) {
  must(signature.length === 64, "The key did not sign it.");
  const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]).catch((error) => error);
  if (imported instanceof Error) {
    must(imported.name === "NotSupportedError", "The key is invalid.");
    return;
  }
  must(await crypto.subtle.verify("Ed25519", imported, signature, bytes(text)), "Its signature is invalid.");
}

/** The lines of a note that this key signed. */
export async function signed(note, key) {
  const [text, lines] = halves(note);
  await check(key, text, signatureOf(lines, key, PLAIN));
  return text.split("\n").slice(0, -1);
}

/** A note's text and its signatures. */
export function halves(note) {
  const at = note.indexOf("\n\n");
  must(at >= 0, "It is not signed.");
  return [note.slice(0, at + 1), note.slice(at + 2)];
}

/** Read a checkpoint that this key signed, also with its time (s). */
export async function readCheckpoint(note, key) {
  const [origin, size, encoded, ...more] = await signed(note, key);
  const root = decoded(encoded ?? "");
  const read = { origin, size: Number(size), root };
  const isCheckpoint = String(read.size) === size && Number.isSafeInteger(read.size) && read.size >= 0;
  must(isCheckpoint && root.length === 32 && base64(root) === encoded && more.length === 0, "This is not a checkpoint of a log.");
  must(origin === key.name, "It belongs to a different log.");
  const [text, lines] = halves(note);
  const timed = signatureOf(lines, key, TIMED);
  must(timed.length === 72, "It has no time.");
  const at = new DataView(timed.buffer.slice(timed.byteOffset)).getBigUint64(0);
  await check(key, `cosignature/v1\ntime ${at}\n${text}`, timed.slice(8));
  return { ...read, at: Number(at) };
}

/** The entry that the log promises in a note, and when it was stored (s). */
export async function promised(note, key) {
  const [name, words, leaf, at, ...more] = await signed(note, key);
  const [, id] = /^promises entry ([\w-]{1,64})$/.exec(words) ?? [];
  must(name === key.name && id && /^\d+$/.test(at) && more.length === 0, "This is not a promise of a log.");
  return { id, leaf: decoded(leaf), at: Number(at) };
}

/** The key that the old one names in a note. */
export async function replaced(note, old) {
  const [name, words, text, ...more] = await signed(note, old);
  must(name === old.name && words === "replaced by" && more.length === 0, "It does not name the key that replaces this one.");
  const key = await readKey(text ?? "");
  must(key.name === old.name, "The new key belongs to a different log.");
  return key;
}
