// The state of this browser: installed or not, notifications on or off; and the install button if it is supported.
import "/fixed_page.js";
import { able, here } from "/push.js";

const state = document.getElementById("install-state");
const button = document.getElementById("install-now");
const coarse = matchMedia("(pointer: coarse)").matches;
const installed = matchMedia("(display-mode: standalone)").matches || navigator.standalone === true;

/** The steps for this browser, by its features and never by its user agent string. */
function platform() {
  if ("standalone" in navigator) return "ios"; // only on iOS and iPadOS
  if ("onbeforeinstallprompt" in window) return coarse ? "android" : "desk";
  if (CSS.supports("-moz-appearance", "none")) return coarse ? "android-firefox" : "desk-firefox";
  return "GestureEvent" in window ? "mac" : "";
}

function which() {
  if (able() && here() && Notification.permission === "granted") return "called";
  if (installed) return "installed";
  return able() || platform() === "ios" ? "none" : "never";
}

const on = coarse ? "phone" : "computer";
const WORDS = {
  called: "Notifications are on in this browser.",
  installed: "Sayso is installed here. Turn on notifications under Devices.",
  none: `Notifications are off on this ${on}. Follow the steps below, then turn them on under Devices.`,
  never: `Notifications are off on this ${on}, and this browser does not support them. Follow the steps for another browser below.`,
};
state.dataset.state = which();
state.textContent = WORDS[which()];

const own = document.getElementById(platform());
if (own) {
  own.querySelector("[data-yours]").hidden = false;
  own.classList.add("yours");
  document.getElementById("platforms").prepend(own);
}

window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  button.hidden = false;
  button.onclick = () => event.prompt();
});
window.addEventListener("appinstalled", () => location.reload());
