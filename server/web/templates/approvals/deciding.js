// A decision of this person: signed over exactly what the page shows, or not sent.
import { bar, gone } from "/buttons.js";
import { SAYS } from "/answer_state.js";
import { call, digest, now, say, warn, assertion } from "/passkey.js";
import { left } from "/request_state.js";

const page = document.getElementById("request");
const { issuer, device, user, passkey, rp } = page.dataset;
export const { id } = page.dataset;
export const pause = Number(page.dataset.arming);
const THINK = 5000;
const SPARE = 1000;
const TIMEOUT_MS = 10000;
const AGAIN = 2000;
const NAMES = { approve: "approval", deny: "denial", withdraw: "withdrawal" };
let sending = false;
let tries = ""; // The number of attempts left when the decision was signed.

/** Reports whether a decision of this page is being sent or was sent. */
export const busy = () => sending;

/** The passkey's signature for a decision; members that `signedMembers` omits mean full approval. */
export async function signed(signedMembers) {
  const shown = await call("GET", `/api/approvals/${id}`);
  const isCurrent =
    (await digest(shown.action)) === shown.action_digest &&
    (await digest(shown.display)) === shown.display_digest &&
    shown.display_digest === page.dataset.digest;
  if (!isCurrent) throw new Error("This page is out of date. Reload it.");
  tries = JSON.stringify(shown.tries_left);
  const steps = shown.ceremony.split("+").filter((step) => step !== "pin");
  const payload = {
    iss: device,
    sub: user,
    aud: issuer,
    approval: id,
    action_digest: shown.action_digest,
    display_digest: shown.display_digest,
    decision: "approve",
    granted: null,
    code: null,
    ceremony: steps.join("+") || "confirm",
    at: Math.floor(now() / 1000),
    nonce: shown.nonce,
    ...signedMembers,
  };
  return assertion(JSON.stringify(payload), rp, passkey);
}

/** Sign a decision, send it with its extra values, and open the page with the result. */
async function answer(signedMembers, extraValues, between = async () => {}) {
  sending = true; // Stays true while the page is open, unless sending fails.
  try {
    const decision = await signed(signedMembers);
    await between();
    bar("sent", true);
    await sent({ decision, ...extraValues }, NAMES[signedMembers.decision ?? "approve"]);
    location.replace(`/done/${id}`); // Back leads to the request, not to the step that is over.
  } catch (error) {
    sending = false;
    bar("sent", false);
    throw error;
  }
}

const post = (body) => call("POST", `/api/approvals/${id}/decision`, body, { keepalive: true });

/** Send a decision until the server confirms or refuses it; repeated bytes count once. */
async function sent(body, what) {
  const late = setTimeout(() => warn(SAYS.in_doubt(what)), TIMEOUT_MS);
  let isKnown = false;
  try {
    await post(body);
    isKnown = true;
  } catch (error) {
    if (error.known !== "in_doubt") throw error;
    warn(SAYS.in_doubt(what));
  } finally {
    clearTimeout(late);
  }
  while (!isKnown) {
    await new Promise((done) => setTimeout(done, AGAIN));
    isKnown = await settled(body, what);
    if (!isKnown) warn(SAYS.in_doubt(what)); // Also shown after going back on the page.
  }
}

/** Whether the server has confirmed a decision; throws an Error if it refused it. */
async function settled(body, what) {
  let isWaiting;
  try {
    const shown = await call("GET", `/api/approvals/${id}`);
    isWaiting = shown.state === "pending";
    if (isWaiting && JSON.stringify(shown.tries_left) !== tries) throw new Error("Doesn't match.");
  } catch (error) {
    if (error.known === "in_doubt") return false;
    throw error.known ? new Error(SAYS.unknown(what)) : error;
  }
  if (!isWaiting) return true; // The next page shows how the request ended.
  try {
    await post(body);
  } catch (error) {
    if (error.known === "in_doubt") return false;
    throw error.code === "invalid_decision" ? new Error(SAYS.not_recorded(what)) : error;
  }
  return true;
}

/** Five seconds to undo a denial; leaving the page sends it immediately. */
async function thought() {
  const part = document.getElementById("think");
  const back = part.querySelector("button");
  const from = document.activeElement;
  const due = Math.min(Date.now() + THINK, Date.now() + left() - SPARE);
  const over = new AbortController();
  bar("given", true);
  part.hidden = false;
  back.focus();
  const kept = await new Promise((done) => {
    const tick = () => {
      const seconds = Math.ceil((due - Date.now()) / 1000);
      part.querySelector("[data-seconds]").textContent = `${Math.max(0, seconds)} s`;
      if (seconds <= 0) done(true);
    };
    const { signal } = over;
    const timer = setInterval(tick, 200);
    signal.addEventListener("abort", () => clearInterval(timer));
    back.addEventListener("click", () => done(false), { signal });
    window.addEventListener("pagehide", () => done(true), { signal });
    document.addEventListener("visibilitychange", () => document.hidden && done(true), { signal });
    tick();
  });
  over.abort();
  part.hidden = true;
  bar("given", false);
  from?.focus();
  if (!kept) throw new Error("Undone. Nothing was sent.");
}

/** A denial with its reason; final once it is sent. */
export const deny = (code, extraValues) => answer({ decision: "deny", code, ceremony: "none" }, extraValues, thought);

/** Withdraw the approval of this person; the request then waits for them again. */
export const withdraw = () => answer({ decision: "withdraw", ceremony: "none" }, {});

/** A full approval, or an approval of the narrowed text in the form. */
export async function yes(form) {
  const extraValues = filled(form);
  const granted = extraValues.granted ? await digest(extraValues.granted) : null;
  return answer({ granted }, extraValues).catch((error) => {
    if (error.code === "request_locked") locked(form);
    throw error;
  });
}

/** Too many wrong entries: this person can no longer approve this request on any page. */
function locked(form) {
  gone(form);
  const first = document.getElementById("to-approve");
  if (first) gone(first);
  form.querySelector(".buttons > *").focus();
}

/** Call `done` once every material fact has been on the screen. */
export function read(done) {
  const unseen = new Set(document.querySelectorAll("[data-material]"));
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting || !unseen.delete(entry.target)) continue;
        watcher.unobserve(entry.target);
        if (unseen.size === 0) done();
      }
    },
    { threshold: 0.6 },
  );
  for (const each of unseen) watcher.observe(each);
  if (unseen.size === 0) done();
}

/** The extra values of a form; empty fields are not sent. */
export function filled(form) {
  const entries = Array.from(new FormData(form)).filter(([name, value]) => name !== "code" && value);
  return Object.fromEntries(entries);
}

/** Enable a button only after a delay, and delay it again after the window was left. */
export function arming(button, isShown) {
  let timer = 0;
  function off() {
    clearTimeout(timer);
    button.disabled = true;
    say("");
  }
  function arm() {
    off();
    timer = setTimeout(() => {
      button.disabled = false;
      say(`${button.textContent} is available.`);
    }, pause);
  }
  window.addEventListener("blur", () => isShown() && off());
  window.addEventListener("focus", () => isShown() && arm());
  return { arm, off };
}
