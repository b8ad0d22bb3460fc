// Shared by all pages with a passkey: bytes as text, messages, API calls, clocks.
import { known } from "/answer_state.js";

export const csrf = document.body.dataset.csrf ?? "";
const skew = Number(document.body.dataset.now ?? Date.now()) - Date.now();

const AWAY = "Can't reach the server.";
const DOUBT = `${AWAY} Your change may or may not have been saved. Reload this page to check.`;

const away = (method = "GET") =>
  Object.assign(new Error(method === "GET" ? AWAY : DOUBT), { away: true, known: known() });

/** Milliseconds by the server's clock. */
export const now = () => Date.now() + skew;

export function encoded(buffer) {
  const text = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function decoded(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

const bytes = (text) => new TextEncoder().encode(text);
const sha256 = (text) => crypto.subtle.digest("SHA-256", bytes(text));

/** The digest of a text as the server writes it. */
export const digest = async (text) => encoded(await sha256(text));

/** An error of the API about one member, with the label of its field if this page has one. */
function labeled(detail) {
  const [pointer, name] = /^\/(\w+): /.exec(detail) ?? [""];
  const label = name && document.getElementsByName(name)[0]?.labels?.[0];
  return label ? `“${label.textContent.trim()}” ${detail.slice(pointer.length)}` : detail;
}

/** Reports whether a refusal means that the sign-in of this page has ended. */
export const isOutdated = ({ code }) => ["signed_out", "stale_page"].includes(code);

/** Call our API: returns its JSON, or throws an Error whose message says what to do. */
export async function call(method, path, body, how = {}) {
  const headers = { "Sayso-Csrf": csrf };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { ...how, method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw away(method);
  }
  const promises = answer.headers.get("Sayso-Promises");
  if (promises) dispatchEvent(new CustomEvent("promises", { detail: promises.split(", ") }));
  const result = answer.status === 204 ? {} : await answer.json().catch(() => null);
  if (result === null) throw away(method); // The response did not come from the server.
  if (answer.ok) return result;
  if (isOutdated(result) && !typed()) location.reload();
  const refused = new Error(labeled(result.detail ?? "The server refused this."));
  throw Object.assign(refused, { code: result.code, away: answer.status >= 500, known: known(answer.status) });
}

/** The passkey's signature for a payload: five parts, joined by full stops. */
export async function assertion(payload, rpId, credential) {
  const known = credential ? [{ type: "public-key", id: decoded(credential) }] : [];
  const publicKey = {
    challenge: await sha256(payload),
    rpId,
    allowCredentials: known,
    userVerification: "required",
    timeout: 300000,
  };
  const { rawId, response } = await navigator.credentials.get({ publicKey });
  const { authenticatorData, clientDataJSON, signature } = response;
  const parts = [rawId, bytes(payload), authenticatorData, clientDataJSON, signature];
  return parts.map(encoded).join(".");
}

/** Show and announce an error or an unknown result. */
export function warn(words) {
  const problem = document.getElementById("problem");
  problem.textContent = words;
  problem.hidden = false;
}

const LEAVING = 10000;

/** Wait while the browser opens the next page. It stays here if the person stops it or the server is gone. */
export const leaving = () => new Promise((done) => setTimeout(done, LEAVING));

let isRunning = false;

/** Run an action that a person started, and show its error. A double click runs it once. */
export async function attempt(work) {
  if (isRunning) return;
  isRunning = true;
  document.getElementById("problem").hidden = true;
  try {
    await work();
  } catch (error) {
    const quiet = ["NotAllowedError", "AbortError"].includes(error.name);
    warn(quiet ? "The passkey was not used. Nothing was sent." : error.message);
  } finally {
    isRunning = false;
  }
}

/** Announce a change to people who do not see the page; others see it. */
export function say(words) {
  document.getElementById("status").textContent = words;
}

/** Enable buttons whose script has loaded. */
export function ready() {
  for (const button of document.querySelectorAll("[data-scripted]")) button.disabled = false;
}

const format = (timeStyle) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle });
const [minutes, seconds, zoned] = [format("short"), format("medium"), format("long")];

/** A time in the reader's own time zone and format. */
export const local = (at) => minutes.format(at);

/** The same with seconds and the zone. */
export const exactly = (at) => zoned.format(at);

/** Show a moment in an element for a time; its exact time and zone are shown on hover. */
export function show(element, at) {
  element.dateTime = new Date(at).toISOString();
  element.dataset.clock = at;
  element.title = exactly(at);
  element.textContent = ("seconds" in element.dataset ? seconds : minutes).format(at);
}

/** Show times in the reader's own time zone and format. */
export function clocks() {
  for (const each of document.querySelectorAll("time[data-clock]")) show(each, Number(each.dataset.clock));
}

/** Reports whether a field of this page contains text that the server did not put there. */
export function typed() {
  const own = (field) => {
    const given = field.options && Array.from(field.options).findLastIndex((each) => each.defaultSelected);
    if (field.options) return field.selectedIndex > 0 ? field.selectedIndex !== given : given > 0;
    if (["checkbox", "radio"].includes(field.type)) return field.checked !== field.defaultChecked;
    return field.type !== "hidden" && field.value !== field.defaultValue;
  };
  return Array.from(document.querySelectorAll("main :is(input, textarea, select)")).some(own);
}

const userOf = (page) => page.body?.dataset.user;

/** Load the page at an address as it is now. If a different person has signed in, this page reloads itself. */
export function fresh(path) {
  return new Promise((done, refuse) => {
    const asked = new XMLHttpRequest();
    asked.open("GET", path);
    asked.responseType = "document";
    const isPage = () => asked.status < 500 && asked.response !== null;
    asked.addEventListener("load", () => {
      if (!isPage()) return refuse(away());
      const user = userOf(asked.response);
      return user && user !== userOf(document) ? location.reload() : done(asked.response);
    });
    asked.addEventListener("error", () => refuse(away()));
    asked.send();
  });
}

/** The time since a moment of this machine's clock, as text. */
export function ago(at) {
  const seconds = Math.max(0, Math.floor((Date.now() - at) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}

/** The time until a moment, as text. */
export function remaining(until) {
  const seconds = Math.max(0, Math.ceil((until - now()) / 1000));
  if (seconds === 0) return "now";
  if (seconds < 60) return `in ${seconds} s`;
  if (seconds < 5400) return `in ${Math.ceil(seconds / 60)} min`;
  return seconds < 172800 ? `in ${Math.round(seconds / 3600)} h` : `in ${Math.round(seconds / 86400)} days`;
}
