// Shared by all pages of a signed-in person: signing out, local times, and notifications.
import { there } from "/live.js";
import { clocks, ready } from "/passkey.js";
import { disable, keep } from "/push.js";

clocks();
document.querySelector(".leave").addEventListener("submit", async (event) => {
  event.preventDefault();
  const gone = await there().catch(() => true);
  if (gone === true) return window.dispatchEvent(new Event("offline")); // the person is still signed in
  localStorage.removeItem("sayso-last");
  sessionStorage.clear();
  navigator.clearAppBadge?.();
  await disable().catch(() => {});
  event.target.submit();
});
// An open menu covers the page, so it closes when the focus leaves it.
const menu = document.querySelector(".unfold");
menu?.addEventListener("focusout", ({ relatedTarget: next }) => {
  if (next && !menu.contains(next)) menu.open = false;
});
ready();
const kept = () => keep().catch(() => {}); // the next load tries again
document.addEventListener("visibilitychange", kept);
kept();
