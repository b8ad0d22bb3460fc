// Updates: from the feed's socket, by polling every two seconds without a socket, or by polling only.
import { bar } from "/buttons.js";
import { watch } from "/log_witness.js";
import { ago, call, leaving } from "/passkey.js";

const POLL_MS = 2000;
const POLL_WITH_FEED_MS = 30000;
const TIMEOUT_MS = 10000;
const STALE_MS = 5000;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

// A response that does not arrive counts as a failure: the network may have failed silently.
function timeLimit() {
  return new Promise((_, refuse) => {
    setTimeout(() => refuse(Object.assign(new Error("The server did not respond."), { away: true })), TIMEOUT_MS);
  });
}

/** Whether the server responds, signed in or not; throws an error with `away` if it does not. */
export const there = () => Promise.race([call("GET", "/healthz", undefined, { cache: "no-store" }), timeLimit()]);

/**
 * Call `tell` with each message of the feed, and `look` when something may have changed: at intervals, and after
 * each message unless `tell` returned true. With `every`, only poll at this interval. With `since`, the feed
 * continues from this cursor, also after a reconnect. If `look` returns false, the server responded, but the page
 * was not compared with it and keeps its age.
 */
export function live(look, { tell = () => {}, every = 0, since } = {}) {
  let connected = false;
  let cut = false;
  let lastResponse = Date.now();
  let lastUpdate = lastResponse;
  let pollCount = 0;
  let next = 0;
  let cursor = since;

  // Without the server, buttons are disabled and the page shows how old it is.
  function away(gone) {
    const strip = document.getElementById("offline");
    if (gone && strip.hidden) {
      const notice = `Not connected. Last updated ${clock.format(lastUpdate)}. You can't make changes now.`;
      document.getElementById("offline-words").textContent = notice;
    }
    if (!gone && !strip.hidden) watch();
    strip.hidden = !gone;
    age();
    bar("away", gone);
    if (gone) connected = false;
  }

  function age() {
    const part = document.getElementById("offline-age");
    const words = `(${ago(lastUpdate)})`;
    if (part.textContent !== words) part.textContent = words;
  }

  function current(found) {
    lastResponse = Date.now();
    if (found !== false) lastUpdate = lastResponse;
    bar("stale", false);
    away(false);
  }

  async function glance() {
    if (document.hidden) return;
    const pollNumber = ++pollCount; // A late response says nothing about what was requested after it.
    try {
      const found = await Promise.race([look(), timeLimit()]);
      if (pollNumber === pollCount) current(found);
    } catch (error) {
      if (error.away && pollNumber === pollCount) away(true); // The next poll comes by itself.
    }
  }

  // Slow responses make polling rarer; after a message from the feed, no poll is due.
  async function loop() {
    const began = performance.now();
    await glance();
    const slow = Math.min(POLL_WITH_FEED_MS, 20 * (performance.now() - began));
    clearTimeout(next);
    next = setTimeout(loop, every ? Math.max(every, slow) : connected ? POLL_WITH_FEED_MS : POLL_MS);
  }

  // After a long pause, buttons are disabled until the server has responded.
  function checkAfterPause() {
    if (!document.hidden && Date.now() - lastResponse > STALE_MS) bar("stale", true);
    glance();
  }

  // Do not submit a form without the server: the browser would replace this page with its error page.
  // A double click submits it once: a second response would hide a secret that the first one shows.
  let isReachable = false;
  let isSending = false;
  async function submitOnce(event) {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || form.getAttribute("method") !== "post" || isReachable) return;
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    try {
      await there();
      isReachable = true;
      form.requestSubmit(submitter);
      isReachable = false;
      await leaving();
    } catch {
      away(true);
    }
    isSending = false;
  }

  function listen(ticket) {
    const address = new URL("/api/feed", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    if (since !== undefined) address.searchParams.set("cursor", cursor);
    const socket = new WebSocket(address);
    socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "ticket", ticket })));
    socket.addEventListener("message", ({ data }) => {
      connected = true;
      if (cut) watch();
      cut = false;
      const message = JSON.parse(data);
      cursor = message.seq ?? message.cursor ?? cursor;
      if (tell(message)) current();
      else loop();
    });
    socket.addEventListener("close", () => {
      connected = false;
      cut = true;
      setTimeout(connect, POLL_WITH_FEED_MS / 3);
    });
  }

  async function connect() {
    try {
      listen((await call("POST", "/api/feed/ticket")).ticket);
    } catch {
      setTimeout(connect, POLL_WITH_FEED_MS);
    }
  }

  document.addEventListener("submit", submitOnce);
  document.addEventListener("visibilitychange", checkAfterPause);
  for (const change of ["online", "offline"]) window.addEventListener(change, glance);
  setInterval(age, 1000);
  if (!every) connect();
  loop();
}
