// New requests are added at the end, so that nothing moves; ended requests are dimmed. The page offers to show the
// rest of what changed.
import "/session.js";
import { told as happened } from "/event_text.js";
import { live } from "/live.js";
import { clear } from "/push.js";
import { call, fresh, now, remaining, say } from "/passkey.js";

const rows = new Map(
  Array.from(document.querySelectorAll("[data-id]"), (row) => [row.dataset.id, row]),
);
const list = document.getElementById("rows");
let counted = Number(list.dataset.count);
const known = new Set(rows.keys());
let lost = false;
const news = document.getElementById("news");
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function tick() {
  for (const each of document.querySelectorAll("time[data-until]")) {
    each.textContent = remaining(Number(each.dataset.until));
  }
}

// Messages about browsers that get notifications are above the requests.
function heard(frame) {
  const { event } = frame;
  if (event !== "approval.requested") happened(frame);
  if (event === "device.unreached") news.hidden = false;
  lost ||= event === "device.unreached";
}

/** Show how many requests wait in the title and on the icon of the installed app. */
function count(waiting) {
  document.title = document.title.replace(/^(\(\d+\) )?/, waiting ? `(${waiting}) ` : "");
  navigator.setAppBadge?.(waiting).catch(() => {}); // Only an installed app has a badge.
}

/** Add the cards of new requests that the page of the server lists; returns how many. */
async function add() {
  const page = await fresh(location.href);
  const cards = Array.from(page.querySelectorAll("#rows > [data-id]")).filter((card) => !rows.has(card.dataset.id));
  for (const card of cards) {
    rows.set(card.dataset.id, card);
    list.append(document.adoptNode(card));
  }
  if (cards.length > 0) {
    document.getElementById("none").hidden = true;
    say(cards.length === 1 ? "1 new request." : `${cards.length} new requests.`);
    tick();
  }
  counted = Number(page.getElementById("rows")?.dataset.count ?? counted);
  return cards.length;
}

async function told(items) {
  for (const { id, expires_at: text } of items) {
    const end = rows.get(id)?.querySelector("[data-until]");
    if (end) Object.assign(end, { dateTime: text }).dataset.until = Date.parse(text);
  }
  const isNew = ({ id }) => !rows.has(id);
  if (items.some(({ id }) => !known.has(id))) {
    for (const { id } of items) known.add(id); // The page may not list all of them.
    if ((await add()) > 0) return told(await listed());
  }
  const waiting = new Set(items.map((item) => item.id));
  for (const [id, row] of rows) row.classList.toggle("gone", !waiting.has(id));
  const over = Array.from(rows.keys()).some((id) => !waiting.has(id));
  news.hidden = !items.some(isNew) && !over && !lost;
  count(items.length < wanted() ? items.length : Math.max(items.length, counted));
  localStorage.setItem("sayso-last", JSON.stringify({ at: now(), n: items.length }));
  document.querySelector("#age time").textContent = clock.format(now());
}

// Swiping a card opens it, like pressing it; no gesture decides anything.
const FAR = 60;
let from = null;
document.addEventListener("touchstart", ({ target, changedTouches: [at] }) => {
  const link = target.closest?.("[data-id] > a");
  from = link && { link, x: at.clientX, y: at.clientY };
});
document.addEventListener("touchend", ({ changedTouches: [at] }) => {
  const aside = from && Math.abs(at.clientX - from.x);
  if (aside > FAR && aside > 2 * Math.abs(at.clientY - from.y)) location.assign(from.link.href);
  from = null;
});

const cleared = () => document.hidden || clear().catch(() => {});
document.addEventListener("visibilitychange", cleared);
cleared();
tick();
setInterval(tick, 1000);

// As many requests as the page shows, in its order: only a higher risk counts as news.
const PART = 200;
const wanted = () => Math.max(50, rows.size);

async function listed() {
  const items = [];
  let cursor = "";
  do {
    const limit = Math.min(PART, wanted() - items.length);
    const part = await call("GET", `/api/approvals?state=waiting&limit=${limit}${cursor}`);
    items.push(...part.items);
    cursor = part.next && `&cursor=${encodeURIComponent(part.next)}`;
  } while (cursor && items.length < wanted());
  return items;
}
live(async () => told(await listed()), { tell: heard });
