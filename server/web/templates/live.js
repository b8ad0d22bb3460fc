// News as they come: over the feed's socket, by looking every two seconds while there is none, or by looking alone.
import { bar } from "/buttons.js";
import { ago, call } from "/passkey.js";

const WITHOUT = 2000;
const WITH = 30000;
const LATE = 10000;
const STALE = 5000;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

// An answer that does not come is as good as none: the network may be gone without a word.
function late() {
  return new Promise((_, refuse) => {
    setTimeout(() => refuse(Object.assign(new Error("No answer came."), { away: true })), LATE);
  });
}

/** Whether the server is there, whoever asks; an error that says `away` where it is not. */
export const there = () => Promise.race([call("GET", "/healthz", undefined, { cache: "no-store" }), late()]);

/**
 * Call `look` when something may have changed, and `tell` with what the feed says. With `every`, look so
 * often and listen to nothing. A `look` that answers false saw the server, and not whether what is shown
 * is still so: it stays as old as it was.
 */
export function live(look, { tell = () => {}, every = 0 } = {}) {
  let connected = false;
  let heard = Date.now();
  let seen = heard;
  let asked = 0;
  let next = 0;

  // What cannot be sent cannot be pressed, and what is shown says how old it is.
  function away(gone) {
    const strip = document.getElementById("offline");
    if (gone && strip.hidden) {
      const said = `Not connected. Last updated ${clock.format(seen)}. You can't make changes now.`;
      document.getElementById("offline-words").textContent = said;
    }
    strip.hidden = !gone;
    age();
    bar("away", gone);
    if (gone) connected = false;
  }

  function age() {
    const part = document.getElementById("offline-age");
    const words = `(${ago(seen)})`;
    if (part.textContent !== words) part.textContent = words;
  }

  async function glance() {
    if (document.hidden) return;
    const mine = ++asked; // An answer that comes late says nothing of what was asked after it.
    try {
      const found = await Promise.race([look(), late()]);
      if (mine !== asked) return;
      heard = Date.now();
      if (found !== false) seen = heard;
      bar("stale", false);
      away(false);
    } catch (error) {
      if (error.away && mine === asked) away(true); // The next look comes by itself.
    }
  }

  // What is long in coming is asked for less often; what was just told is not asked for by itself.
  async function loop() {
    const began = performance.now();
    await glance();
    const slow = Math.min(WITH, 20 * (performance.now() - began));
    clearTimeout(next);
    next = setTimeout(loop, every ? Math.max(every, slow) : connected ? WITH : WITHOUT);
  }

  // What was not looked at for a while counts again once the server has told how it stands.
  function back() {
    if (!document.hidden && Date.now() - heard > STALE) bar("stale", true);
    glance();
  }

  // A form is not given to a server that is not there: a browser would put its own page in this one's place.
  let sure = false;
  async function sends(event) {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || form.getAttribute("method") !== "post" || sure) return;
    event.preventDefault();
    try {
      await there();
    } catch {
      return away(true);
    }
    sure = true;
    form.requestSubmit(submitter);
    sure = false;
  }

  function listen(ticket) {
    const address = new URL("/api/feed", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "ticket", ticket })));
    socket.addEventListener("message", ({ data }) => {
      connected = true;
      tell(JSON.parse(data));
      loop();
    });
    socket.addEventListener("close", () => {
      connected = false;
      setTimeout(connect, WITH / 3);
    });
  }

  async function connect() {
    try {
      listen((await call("POST", "/api/feed/ticket")).ticket);
    } catch {
      setTimeout(connect, WITH);
    }
  }

  document.addEventListener("submit", sends);
  document.addEventListener("visibilitychange", back);
  for (const change of ["online", "offline"]) window.addEventListener(change, glance);
  setInterval(age, 1000);
  if (!every) connect();
  loop();
}
