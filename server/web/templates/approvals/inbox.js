// The inbox follows the feed: a new request is added at the end, so that nothing moves, and ended requests are dimmed.
// The page is compared with the server only if events may be missing. It offers to show the rest of what changed.
import "/session.js";
import { told as happened } from "/event_text.js";
import { live } from "/live.js";
import { clear } from "/push.js";
import { call, exactly, fresh, now, remaining, say, show } from "/passkey.js";

const ENDS = ["approval.voted", "approval.decided", "approval.cancelled", "approval.expired"];
const cards = (page) => new Map(Array.from(page.querySelectorAll("main [data-id]"), (row) => [row.dataset.id, row]));
const voted = (row) => Boolean(row.closest("#voted"));
const rows = cards(document);
const list = document.getElementById("rows");
const news = document.getElementById("news");
let count = Number(list.dataset.count);
let cursor = Number(list.dataset.cursor); // The last event that this page shows.
const waits = new Map(); // Whether a request waits for this person, as far as this page knows.
for (const [id, row] of rows) waits.set(id, !voted(row));

function tick() {
  for (const each of document.querySelectorAll("main time[data-until]")) {
    each.title = exactly(Number(each.dataset.until));
    each.textContent = remaining(Number(each.dataset.until));
  }
}

/** Show how many requests wait, in the title and on the icon of the installed app, and how old the number is. */
function shown() {
  document.title = document.title.replace(/^(\(\d+\) )?/, count ? `(${count}) ` : "");
  navigator.setAppBadge?.(count).catch(() => {}); // Only an installed app has a badge.
  localStorage.setItem("sayso-last", JSON.stringify({ at: now(), n: count }));
  const all = document.getElementById("all");
  if (all) all.textContent = `Show all ${count}`;
  show(document.querySelector("#age time"), Math.round(now()));
}

function append(added) {
  if (added.length === 0) return;
  for (const card of added) {
    rows.set(card.dataset.id, card);
    list.append(card);
  }
  document.getElementById("none").hidden = true;
  say(added.length === 1 ? "1 new request." : `${added.length} new requests.`);
  tick();
}

function ends(row, text) {
  Object.assign(row.querySelector("[data-until]"), { dateTime: text }).dataset.until = Date.parse(text);
}

/** The card of a new request. Every text is inserted as text. */
function made({ id, risk, display, granted, expires_at: end }, icon) {
  const { headline, agent } = JSON.parse(display);
  const card = document.getElementById("card").content.querySelector("li").cloneNode(true);
  const [what, who] = card.querySelectorAll("bdi");
  const chip = card.querySelector(".risk");
  card.dataset.id = id;
  card.querySelector("a").href = `/r/${id}`;
  chip.classList.add(risk);
  chip.textContent = `${risk} risk`;
  what.textContent = granted ? `With limits: ${granted.headline}` : headline;
  who.textContent = agent.name;
  if (icon) who.before(Object.assign(new Image(24, 24), { className: "icon", src: icon, alt: "" }), " ");
  ends(card, end);
  return card;
}

const mine = ({ by, counts }) => counts && by.id === document.body.dataset.user;

/** Apply an event about a request. */
function changed({ event, approval, icon }) {
  const { id, state, vote_tally: tally } = approval;
  const answers = tally?.answers ?? [];
  const open = state === "pending" && !answers.some(mine);
  // Nobody was asked about what was approved automatically; what this person approved before waited for others.
  const ended = ENDS.includes(event) && !approval.decided_by && !answers.slice(0, -1).some(mine);
  const was = waits.get(id) ?? (event === "approval.requested" ? false : open || ended);
  waits.set(id, open);
  count = Math.max(0, count + open - was);
  const row = rows.get(id);
  if (row) {
    ends(row, approval.expires_at);
    const gone = voted(row) ? state !== "pending" : !open;
    row.classList.toggle("gone", gone);
    news.hidden &&= !gone && open === !voted(row); // An approval that another person's limits made void waits again.
  } else if (open && !was) {
    if (approval.held_back) news.hidden = false;
    else append([made(approval, icon)]);
  }
}

let told = false; // Whether the feed sent something since the last look.
let missing = false;

/** Apply a message of the feed; returns whether the page is up to date with it. */
function heard(frame) {
  told = true;
  if (frame.type === "resync") missing = true;
  if (frame.type !== "event") return false;
  if (frame.seq <= cursor) return true;
  cursor = frame.seq;
  if (frame.event !== "approval.requested") happened(frame);
  if (frame.event === "device.unreached") news.hidden = false; // A message is above the requests.
  if (frame.approval) changed(frame);
  shown();
  return true;
}

/** Compare this page with the server's, with as many requests as this page has and fifty more. */
async function compare() {
  const page = await fresh(`/?first=${Math.min(rows.size + 50, 500)}`);
  const there = page.getElementById("rows");
  if (!there) return location.reload(); // Signed out.
  const listed = cards(page);
  const whole = !page.querySelector("main .more");
  for (const [id, row] of rows) {
    const other = listed.get(id);
    if (other) ends(row, other.querySelector("[data-until]").dateTime);
    row.classList.toggle("gone", other ? voted(other) && !voted(row) : whole);
    if (whole) waits.set(id, false);
  }
  for (const [id, row] of listed) waits.set(id, !voted(row));
  append(Array.from(there.children).filter((card) => !rows.has(card.dataset.id)).map((card) => document.adoptNode(card)));
  count = Number(there.dataset.count);
  cursor = Math.max(cursor, Number(there.dataset.cursor));
  const over = Array.from(rows.values()).some((row) => row.classList.contains("gone"));
  news.hidden &&= !over && Array.from(listed.keys()).every((id) => rows.has(id));
}

// The list changed only if the feed continued; the page already shows what the feed reported.
let seen = cursor;
async function look() {
  const { feed_cursor: head } = await call("GET", "/api/approvals?state=waiting&limit=1");
  const compares = missing || (head !== seen && !told);
  told = false;
  if (compares) await compare();
  missing &&= !compares;
  seen = head;
  shown();
}

// Swiping a card opens it, as pressing it does; no gesture can decide a request.
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
live(look, { tell: heard, since: cursor });
