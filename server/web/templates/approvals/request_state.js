// How one request stands: until when, who has answered it, and what can still be pressed on its page.
import { bar } from "/buttons.js";
import { live } from "/live.js";
import { attempt, call, fresh, now, remaining, say, typed } from "/passkey.js";

const page = document.getElementById("request");
const WARNINGS = [60, 20];
export const { id } = page.dataset;
let until = Number(page.dataset.until);
let warned = Infinity;

const parts = (name) => document.querySelectorAll(`[data-${name}]`);
const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Milliseconds until it ends, by the server's clock. */
export const left = () => until - now();

/** Show when it ends; later than it was, the warnings are due again. */
function ends({ expires_at: text, extensions_left: more }) {
  const at = Date.parse(text);
  if (at > until) warned = Infinity;
  until = at;
  for (const each of parts("end")) {
    each.dateTime = text;
    each.textContent = format.format(at);
  }
  for (const each of parts("longer")) each.hidden = more === 0;
  tick();
}

// Each warning is said once; what runs down by itself is not.
function warn() {
  const seconds = Math.ceil(left() / 1000);
  const due = WARNINGS.findLast((each) => seconds <= each);
  if (!due || due >= warned) return;
  warned = due;
  const more = document.querySelector("[data-longer]:not([hidden])");
  say(`${seconds} seconds left to answer.${more ? ` ${more.textContent} extends it.` : ""}`);
}

function tick() {
  const over = until <= now();
  for (const each of parts("left")) each.textContent = over ? "expired" : remaining(until);
  if (over && warned > 0) say("The request has expired.");
  if (over) warned = 0;
  warn();
}

/** The words of the server on how it ended; "" where it does not say. */
async function outcome() {
  const found = (await fresh(`/r/${id}`)).querySelector(".outcome");
  return found ? found.textContent.trim() : "";
}

/** Say on this page how it ended. */
export async function told() {
  const part = document.getElementById("over");
  if (!part.hidden) return;
  part.querySelector("span").textContent = (await outcome()) || "This request no longer waits for you.";
  part.hidden = false;
}

/** The page becomes a record; what was typed on it stays where it is, and cannot be sent. */
async function record() {
  bar("over", true);
  if (!typed()) return location.assign(`/r/${id}`);
  return told();
}

const mine = ({ together }) => together?.answers.some((one) => one.by.id === page.dataset.user && one.counts);

/**
 * Look how it stands from now on. `over` is called once it waits no more, unless this very page is
 * sending an answer: news of that must not lead elsewhere.
 */
export function watch({ busy = () => false, over = record } = {}) {
  tick();
  setInterval(() => {
    tick();
    bar("ended", over === record && until <= now());
  }, 1000);
  live(async () => {
    const { items } = await call("GET", "/api/approvals?state=waiting&limit=200");
    const one = items.find((item) => item.id === id) ?? (await call("GET", `/api/approvals/${id}`));
    if (one.state === "pending" && !mine(one)) return ends(one);
    if (!busy()) return over();
  });
}

for (const button of parts("longer")) {
  button.disabled = false;
  button.addEventListener("click", () =>
    attempt(async () => {
      ends(await call("POST", `/api/approvals/${id}/extension`));
      if (button.hidden) Array.from(parts("left"), (each) => each.checkVisibility() && each.focus());
      say(`Expires ${format.format(until)} now.`);
    }),
  );
}
