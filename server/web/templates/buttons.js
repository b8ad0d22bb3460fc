// What can be pressed on a page, and each reason why nothing can be now.
const DEEDS =
  "[data-decides] :is(button, a.button):not([data-back]), main form[method=post] button, main [data-deed], .console main a.button:not(form a)";
const SENDS = "form button:not([type=button])"; // searches and signing out, which need the server and nothing else
const reasons = new Set();
let left = null;

function shut(each) {
  if (each.closest("[data-gone]")) return true;
  return each.matches(DEEDS) ? reasons.size > 0 : reasons.has("away");
}

function settle() {
  for (const each of document.querySelectorAll(`${DEEDS}, ${SENDS}`)) {
    const was = each === document.activeElement && each;
    each.inert = shut(each);
    if (was && each.inert) left = was;
  }
  const lost = left && !left.inert && document.activeElement === document.body;
  if (lost) left.focus(); // Whoever was there with the keyboard is there again.
  if (left && !left.inert) left = null;
}

/** Have this reason, or have it no more. Fields stay as they are: what is typed is not lost. */
export function bar(reason, holds) {
  if (reasons.has(reason) === holds) return;
  if (holds) reasons.add(reason);
  else reasons.delete(reason);
  settle();
}

/** A part of the page whose matter is over: what can be pressed in it never comes back. */
export function gone(part) {
  part.dataset.gone = "";
  settle();
}

// Enter in a field presses nothing either.
document.addEventListener(
  "submit",
  (event) => {
    const by = event.submitter ?? event.target.querySelector("button:not([type=button])");
    if (!by?.inert) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  { capture: true },
);
