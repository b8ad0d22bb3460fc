// A page that updates while it is open: buttons that the server no longer offers are disabled, text is updated
// in place, and a link offers new or moved parts. Nothing moves by itself.
import "/copy.js";
import "/session.js";
import { gone } from "/buttons.js";
import { told } from "/event_text.js";
import { live } from "/live.js";
import { clocks, fresh, typed } from "/passkey.js";

const EVERY = 5000;
const OFFERS = "main :is(form[method=post], [data-remove], [data-push-remove])";
const PARTS = "main [data-part]";
const news = document.getElementById("news");

const named = (each) =>
  each.dataset.part ?? each.getAttribute("action") ?? each.dataset.remove ?? each.dataset.pushRemove;
const found = (page, what) => new Map(Array.from(page.querySelectorAll(what), (each) => [named(each), each]));
const isFilling = () => typed() || document.activeElement?.matches("main form :is(input, select, textarea)");

// The page as the server sent it: a script of this page changes how times are written.
function serverText(part) {
  const copy = part.cloneNode(true);
  for (const each of copy.querySelectorAll("time")) each.textContent = each.dateTime;
  return copy.textContent;
}

function isInUse(part) {
  const marked = getSelection();
  return part.contains(document.activeElement) || (!marked.isCollapsed && marked.containsNode(part, true));
}

/** Update the text of a part without focus and with the same structure; returns whether it matches the server. */
function updatePart(here, there) {
  if (serverText(here) === serverText(there)) return true;
  const [mine, other] = [here, there].map((each) => Array.from(each.querySelectorAll("*"), ({ tagName }) => tagName));
  if (isInUse(here) || mine.includes("FORM") || mine.join() !== other.join()) return false;
  here.replaceChildren(...document.adoptNode(there).childNodes);
  return true;
}

function compared(page) {
  const [here, there] = [found(document, OFFERS), found(page, OFFERS)];
  const removed = Array.from(here).filter(([name]) => !there.has(name));
  for (const [, offer] of removed) gone(offer.closest("li") ?? offer);
  if (isFilling()) {
    news.hidden &&= removed.length === 0;
    return false;
  }
  const [parts, now] = [found(document, PARTS), found(page, PARTS)];
  const kept = Array.from(parts).map(([name, part]) => now.has(name) && updatePart(part, now.get(name)));
  const isComplete = ![document, page].some((each) => each.querySelector("main .more"));
  for (const [name, part] of parts) part.classList.toggle("gone", isComplete && !now.has(name));
  clocks();
  const added = [[there, here], [now, parts]].some(([new_, old]) => Array.from(new_.keys()).some((name) => !old.has(name)));
  news.hidden = removed.length === 0 && !added && kept.every(Boolean);
  return true;
}

live(async () => compared(await fresh(location.href)), "watched" in news.dataset ? { every: EVERY } : { tell: told });
