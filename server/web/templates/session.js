// What each page of a signed-in person has: signing out, times in their own words, and being called.
import { there } from "/live.js";
import { clocks, ready } from "/passkey.js";
import { disable, keep } from "/push.js";

clocks();
document.querySelector(".leave").addEventListener("submit", async (event) => {
  event.preventDefault();
  const gone = await there().catch(() => true);
  if (gone === true) return window.dispatchEvent(new Event("offline")); // who stays signed in is not told otherwise
  localStorage.removeItem("sayso-last");
  await disable().catch(() => {});
  event.target.submit();
});
// An unfolded menu hides what is under it, so it folds when the focus goes on.
const menu = document.querySelector(".unfold");
menu?.addEventListener("focusout", ({ relatedTarget: next }) => {
  if (next && !menu.contains(next)) menu.open = false;
});
ready();
const kept = () => keep().catch(() => {}); // the next load tries again
document.addEventListener("visibilitychange", kept);
kept();
