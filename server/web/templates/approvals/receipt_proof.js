// What this browser can verify of a receipt with its own cryptography, part by part, and what it cannot.
import { kept } from "/log_witness.js";
import { isIncluded, sha256 } from "/merkle.js";
import { BadNote, decoded as fromBase64, halves, readCheckpoint, readKey } from "/notes.js";
import { decoded, digest, encoded } from "/passkey.js";

const PRESENT = 1;
const VERIFIED = 4;
const TOLERANCE = 300;
const read = (bytes) => new TextDecoder().decode(bytes);
const bytes = (text) => new TextEncoder().encode(text);
const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");

// The last entry about a request in each state, votes and effects aside, and the effect of each kind of request, as in
// server/audit_log/receipts.py.
const ASKED = "approval.requested";
const APPROVED = ["approval.approved", "approval.allowed"];
const OUTCOMES = {
  pending: [ASKED],
  approved: APPROVED,
  redeemed: APPROVED,
  denied: ["approval.denied"],
  expired: ["approval.expired"],
  cancelled: ["approval.cancelled"],
};
const ENDS = new Set(Object.values(OUTCOMES).flat());
const EFFECTS = {
  action: "token.issued",
  app_action: "token.issued",
  app_device: "grant.given",
  consent: "consent.given",
  device: "device.admitted",
  standing_grant: "standing_grant.given",
};

// The facts of a request that its entry contains. Earlier versions left some out.
const FACTS = ["kind", "display_digest", "ceremony"];

// How each kind of key signs, and its JWS name. The key decides, not the signer.
const ALGORITHMS = {
  EC: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  OKP: { name: "Ed25519" },
  RSA: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
};
const NAMES = { EC: "ES256", OKP: "EdDSA", RSA: "RS256" };

async function signs({ kty, crv, x, y, n, e }, signature, data) {
  const algorithm = ALGORITHMS[kty];
  const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y, n, e }, algorithm, false, ["verify"]);
  return crypto.subtle.verify(algorithm, key, signature, data);
}

/** The two numbers of an ECDSA signature, 32 bytes each, from DER (RFC 3279 2.2.3). */
export function raw(der) {
  const numbers = [];
  let at = 2;
  if (der[0] !== 0x30 || der[1] !== der.length - 2) throw new Error("signed: the signature is malformed");
  while (numbers.length < 2) {
    const [tag, length] = der.slice(at, at + 2);
    const number = der.slice(at + 2, at + 2 + length);
    if (tag !== 2 || number.length !== length) throw new Error("signed: the signature is malformed");
    const whole = number.slice(number.findIndex((byte, place) => byte !== 0 || place === length - 1));
    if (whole.length > 32) throw new Error("signed: the signature is malformed");
    numbers.push(new Uint8Array([...new Uint8Array(32 - whole.length), ...whole]));
    at += 2 + length;
  }
  if (at !== der.length) throw new Error("signed: the signature is malformed");
  return new Uint8Array([...numbers[0], ...numbers[1]]);
}

/** The first difference of two JSON values; "" if they are equal. */
export function differs(ours, theirs, at = "") {
  if (ours === theirs) return "";
  const whole = (value) => typeof value === "object" && value !== null;
  if (!whole(ours) || !whole(theirs) || Array.isArray(ours) !== Array.isArray(theirs)) return at || "/";
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const found = differs(ours[name], theirs[name], `${at}/${name}`);
    if (found) return found;
  }
  return "";
}

/** The log does not contradict the receipt, but does not have all of its facts. */
class NotProved extends Error {}

function must(holds, words) {
  if (!holds) throw new Error(words);
}

/** The payload of a compact JWS, verified with a key. */
async function payloadOf(jws, typ, { kid, jwk }, where) {
  const [head, body, signature] = jws.split(".");
  const header = JSON.parse(read(decoded(head)));
  must(header.typ === typ && header.alg === NAMES[jwk.kty] && header.kid === kid, `${where}: the header does not match this key`);
  must(await signs(jwk, decoded(signature), bytes(`${head}.${body}`)), `${where}: the signature is invalid`);
  return JSON.parse(read(decoded(body)));
}

/** The payload of a passkey's signature (WebAuthn 7.2). */
async function passkeyPayload(word, { kid, jwk }, issuer) {
  const where = "signed";
  const [credential, payload, data, client, signature] = word.split(".").map(decoded);
  const { origin, hostname } = new URL(issuer);
  const clientData = JSON.parse(read(client));
  must(encoded(credential) === kid, `${where}: it names a different passkey`);
  must(clientData.type === "webauthn.get" && clientData.origin === origin, `${where}: it was made for a different site`);
  must(clientData.challenge === encoded(await sha256(payload)), `${where}: the passkey signed a different payload`);
  must(hex(data.slice(0, 32)) === hex(await sha256(bytes(hostname))), `${where}: it was made for a different site`);
  must((data[32] & PRESENT) !== 0 && (data[32] & VERIFIED) !== 0, `${where}: the passkey did not verify its user`);
  const over = new Uint8Array([...data, ...(await sha256(client))]);
  const plain = jwk.kty === "EC" ? raw(signature) : signature;
  must(await signs(jwk, plain, over), `${where}: the signature is invalid`);
  return JSON.parse(read(payload));
}

async function checkTexts({ approval, fingerprint }) {
  must((await digest(approval.action)) === approval.action_digest, "approval/action: does not match its digest");
  must((await digest(approval.display)) === approval.display_digest, "approval/display: does not match its digest");
  const short = hex(decoded(approval.action_digest).slice(0, 4));
  must(fingerprint === `${short.slice(0, 4)}-${short.slice(4)}`, "fingerprint: does not match the action");
  const { granted } = approval;
  must(!granted || (await digest(granted.text)) === granted.digest, "approval/granted: does not match its digest");
}

async function checkAnswer({ approval, issuer }, { by, device, decision, code, ceremony, at, counts, signed, key }) {
  const isPasskey = signed.split(".").length === 5;
  if (!isPasskey) {
    const { kty, crv, x, y } = key.jwk;
    must((await digest(JSON.stringify({ crv, kty, x, y }))) === key.kid, "key: does not match its thumbprint");
  }
  const payload = isPasskey ? await passkeyPayload(signed, key, issuer) : await payloadOf(signed, "sayso-decision+jws", key, "signed");
  const expected = {
    iss: device.id,
    sub: by.id,
    aud: issuer,
    approval: approval.id,
    action_digest: approval.action_digest,
    display_digest: approval.display_digest,
    decision,
    code,
    ceremony,
    granted: decision === "approve" && counts ? (approval.granted?.digest ?? null) : payload.granted,
  };
  for (const [name, value] of Object.entries(expected)) must(payload[name] === value, `${name}: differs from what was signed`);
  must(Math.abs(payload.at - Date.parse(at) / 1000) <= TOLERANCE, "at: differs from the signed time");
}

/** The contents of an entry, if it is in a checkpoint that this key signed. */
async function entryOf({ body, proof }, approval, key) {
  const [head, note] = halves(proof);
  const [, extra, index, ...hashes] = head.trimEnd().split("\n");
  must(read(fromBase64(extra.slice("extra ".length))) === body, "entries: a body does not match its proof");
  const leaf = await sha256(new Uint8Array([0, ...bytes(body)]));
  const tree = await readCheckpoint(note, key);
  must(await isIncluded(leaf, Number(index.slice("index ".length)), tree, hashes.map(fromBase64)), "entries: an entry is not in the log");
  const entry = JSON.parse(body);
  must(entry.approval_id === approval.id, "entries: an entry is about a different request");
  return entry;
}

/** Check the creation of the request, as server/audit_log/receipts.py does; returns the facts of its entry. */
function checkCreation(approval, created) {
  must(created?.type === ASKED, "entries: the creation of the request is missing");
  const { facts = {} } = created;
  must(created.agent_id === approval.agent.id, "approval/agent/id: differs from the log");
  must(created.action === approval.action_digest, "approval/action_digest: differs from the log");
  must(created.posture === approval.risk, "approval/risk: differs from the log");
  for (const name of FACTS) must(!(name in facts) || facts[name] === approval[name], `approval/${name}: differs from the log`);
  return facts;
}

/** Check that the log and the receipt agree about a request; returns the entries. */
async function checkEntries({ approval, policy_version: version, answers, entries }, key) {
  const log = await Promise.all(entries.map((each) => entryOf(each, approval, key)));
  const { kind, state, reason } = approval;
  const facts = checkCreation(approval, log[0]);
  must((facts.policy.version ?? null) === version, "policy_version: differs from the log");
  const end = log.findLast((each) => ENDS.has(each.type));
  must(OUTCOMES[state].includes(end.type), `approval/state: the log says ${end.type}`);
  const why = (reason ?? "").split(":")[0];
  must(!["expired", "cancelled"].includes(state) || (end.cause ?? "") === why, "approval/reason: differs from the log");
  must(log.some((each) => each.type === EFFECTS[kind]) === (state === "redeemed"), `approval/state: the log does not say ${state}`);
  const signed = log.map((each) => each.facts?.signed).filter(Boolean);
  must(`${signed.sort()}` === `${answers.map((each) => each.signed).sort()}`, "answers: differ from the log");
  const missing = FACTS.filter((name) => !(name in facts));
  if (missing.length > 0) throw new NotProved(`the log does not contain ${missing.join(" and ")}, which earlier versions did not record`);
  return log;
}

async function checkLog(receipt) {
  const known = kept()?.log_key;
  if (!known) return "this browser does not know the key of the log yet";
  const { token, given_in: given, approval, entries } = receipt;
  const isNew = [...entries, ...(given?.entries ?? [])].some(({ proof }) => !proof);
  if (isNew) return "no checkpoint includes it yet; reload the receipt in two seconds";
  const key = await readKey(known);
  try {
    const log = await checkEntries(receipt, key);
    const found = (kind) => log.find(({ type }) => type === kind)?.facts;
    must(!token || token.id === found("token.issued").jti, "token/id: differs from the log");
    const allowed = found("approval.allowed");
    must(!differs(allowed?.decided_by ?? null, approval.decided_by), "approval/decided_by: differs from the log");
    must(!allowed || given.approval.id === allowed.given_in, "given_in: the log names a different request");
    if (given) await checkEntries(given, key);
  } catch (error) {
    if (error instanceof NotProved) return error.message;
    if (!(error instanceof BadNote)) throw error;
    return `its checkpoint cannot be verified here: ${error.message.replace(/\.$/, "")}`;
  }
}

async function checkServer({ server_signature: signature, ...rest }, keys) {
  const { kid } = JSON.parse(read(decoded(signature.split(".")[0])));
  const jwk = keys.find((key) => key.kid === kid);
  if (!jwk) return "its key is no longer published";
  const payload = await payloadOf(signature, "sayso-receipt+jws", { kid, jwk }, "server_signature");
  const place = differs(rest, payload);
  must(!place, `${place.slice(1)}: differs from what the server signed`);
  return "";
}

/** One part of the receipt: verified, wrong, or not verifiable; `check` returns why not, or throws. */
async function part(what, check) {
  try {
    const why = await check();
    return { what, state: why ? "unknown" : "proved", why: why ?? "" };
  } catch (error) {
    return { what, state: "wrong", why: error.message };
  }
}

/** Every part of a receipt with its result; `keys` are the keys that its issuer publishes. */
export async function proved(receipt, keys) {
  const found = [await part("The request and what was shown match their digests", () => checkTexts(receipt))];
  for (const request of [receipt, receipt.given_in]) {
    for (const answer of request?.answers ?? []) {
      const whose = `${answer.by.name}’s ${answer.decision === "approve" ? "approval" : "denial"}`;
      const about = request === receipt ? "" : " of the consent or standing grant";
      const signed = () => (answer.key ? checkAnswer({ ...receipt, ...request }, answer) : "its key is no longer known");
      found.push(await part(`${whose}${about} is signed by the key that the server has for ${answer.device.name}`, signed));
    }
  }
  found.push(await part("The audit log contains the request, each answer and the outcome", () => checkLog(receipt)));
  found.push(await part("The server signed every field of this receipt", () => checkServer(receipt, keys)));
  return found;
}
