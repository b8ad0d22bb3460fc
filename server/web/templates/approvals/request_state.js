// The state of one request: when it expires, who has answered it, and what can still be pressed.
import { bar } from "/buttons.js";
import { live } from "/live.js";
import { attempt, call, clocks, fresh, local, now, remaining, say, show, typed } from "/passkey.js";

const page = document.getElementById("request");
const WARNINGS = [60, 20];
export const { id } = page.dataset;
let until = Number(page.dataset.until);
let warned = Infinity;

const parts = (name) => document.querySelectorAll(`[data-${name}]`);

/** Milliseconds until it expires, by the server's clock. */
export const left = () => until - now();

/** Show when it expires. After an extension, the warnings are due again. */
function ends({ expires_at: text, extensions_left: more }) {
  const at = Date.parse(text);
  if (at > until) warned = Infinity;
  until = at;
  for (const each of parts("end")) show(each, at);
  for (const each of parts("longer")) each.hidden = more === 0;
  tick();
}

// Each warning is announced once; the countdown itself is not.
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

/** Whether another approver has narrowed it since this page was loaded. */
export const narrowed = ({ granted }) => "granted" in page.dataset && (granted?.digest ?? "") !== page.dataset.granted;

/** The server's words about how it ended. */
async function outcome(one) {
  const found = (await fresh(`/r/${id}`)).querySelector(".outcome:not(#over)");
  if (found) return document.adoptNode(found).childNodes;
  return [narrowed(one) ? "Another approver has narrowed this request." : "This request is no longer waiting for you."];
}

/** Show on this page how it ended. */
export async function told(one) {
  const part = document.getElementById("over");
  if (!part.hidden) return;
  part.querySelector("span").replaceChildren(...(await outcome(one)));
  clocks();
  part.hidden = false;
}

/** Make the page a record. Typed text stays visible and cannot be sent. */
async function record(one) {
  bar("over", true);
  if (!typed()) return location.assign(`/r/${id}`);
  return told(one);
}

const mine = ({ vote_tally: tally }) => tally?.answers.some((one) => one.by.id === page.dataset.user && one.counts);
const unanswered = (one) => one.state === "pending" && !mine(one) && !narrowed(one);
// Events about other requests change nothing here.
const tell = ({ approval }) => Boolean(approval) && approval.id !== id;

/**
 * Follow the state from now on, as long as the request `waits`. `over` is called once when it does not, unless
 * this page is sending a decision: its own result must not open another page.
 */
export function watch({ busy = () => false, over = record, waits = unanswered } = {}) {
  tick();
  setInterval(() => {
    tick();
    bar("ended", over === record && until <= now());
  }, 1000);
  const look = async () => {
    const one = await call("GET", `/api/approvals/${id}`);
    if (waits(one)) return ends(one);
    if (!busy()) return over(one);
  };
  live(look, { tell });
}

for (const button of parts("longer")) {
  button.disabled = false;
  button.addEventListener("click", () =>
    attempt(async () => {
      ends(await call("POST", `/api/approvals/${id}/extension`));
      if (button.hidden) Array.from(parts("left"), (each) => each.checkVisibility() && each.focus());
      say(`The request now expires ${local(until)}.`);
    }),
  );
}
