// The buttons of a page, and every reason why they are disabled.
const DEEDS =
  "[data-decides] :is(button, a.button):not([data-back]), main form[method=post] button, main [data-deed], .console main a.button:not(form a)";
const SENDS = "form button:not([type=button])"; // searches and signing out, which only need the server
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
  if (lost) left.focus(); // Return the keyboard focus to the button that had it.
  if (left && !left.inert) left = null;
}

/** Add or remove a reason. Fields stay as they are, so typed text is not lost. */
export function bar(reason, holds) {
  if (reasons.has(reason) === holds) return;
  if (holds) reasons.add(reason);
  else reasons.delete(reason);
  settle();
}

/** Disable a part of the page for good, because its subject has ended. */
export function gone(part) {
  part.dataset.gone = "";
  settle();
}

// Enter in a field does not submit either.
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
