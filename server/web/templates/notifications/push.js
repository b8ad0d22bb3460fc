// Being called in this browser: its service worker, its subscription, and keeping both up to date.
import { call, decoded, encoded } from "/passkey.js";

const WORKER = "/service-worker.js";
const SLOW = 30000;
const WANTED = "sayso-push";

const policy = window.trustedTypes?.createPolicy("sayso-worker", {
  createScriptURL(path) {
    if (path !== WORKER) throw new TypeError("Only our own service worker is registered.");
    return path;
  },
});

/** Whether this browser can be called at all. */
export const able = () =>
  "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** Our service worker, registered again on each load: an update is found so. */
export const worker = async () => {
  const found = await navigator.serviceWorker.register(policy ? policy.createScriptURL(WORKER) : WORKER);
  offered(found);
  found.addEventListener("updatefound", () => {
    found.installing?.addEventListener("statechange", () => offered(found));
  });
  return navigator.serviceWorker.ready;
};

/** Offer a new version that waits; a page is never loaded anew under somebody's hands. */
function offered(registration) {
  const strip = document.getElementById("update");
  if (!strip || !registration.waiting || !navigator.serviceWorker.controller) return;
  strip.hidden = false;
  document.getElementById("update-now").onclick = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
    registration.waiting?.postMessage("go");
  };
}

/** What was kept of it here: the id of this browser's subscription, "" when it wants none. */
export const here = () => localStorage.getItem(WANTED) ?? "";

// One after the other: whoever signs out while the page still subscribes is not called afterwards.
let last = Promise.resolve();
function inTurn(work) {
  last = last.catch(() => {}).then(work);
  return last;
}

function inTime(promise) {
  const late = new Promise((_, refuse) =>
    setTimeout(() => refuse(new Error("The push service does not respond. Try again later.")), SLOW),
  );
  return Promise.race([promise, late]);
}

async function subscribed(manager, key, stale) {
  const found = await manager.getSubscription();
  const made = found && encoded(found.options.applicationServerKey ?? new Uint8Array());
  if (found && made === key && !stale) return found;
  if (found) await found.unsubscribe();
  const options = { userVisibleOnly: true, applicationServerKey: decoded(key) };
  return inTime(manager.subscribe(options));
}

async function told() {
  const { public_key: key, items, lost } = await call("GET", "/api/push-subscriptions");
  const { pushManager } = await worker();
  const former = here();
  const stale = lost.some((one) => one.id === former); // its push service answers for it no more
  const made = await subscribed(pushManager, key, stale);
  const kept = await call("POST", "/api/push-subscriptions", made.toJSON());
  localStorage.setItem(WANTED, kept.id);
  // What this browser had before is no browser that waits for a call.
  if (former !== kept.id && items.some((one) => one.id === former)) await call("DELETE", `/api/push-subscriptions/${former}`);
  return kept;
}

/** Ask the person, and have this browser called from now on. */
export async function enable() {
  const said = await Notification.requestPermission();
  if (said !== "granted") {
    throw new Error("This browser blocks notifications. Allow them in its settings.");
  }
  return inTurn(told);
}

/** Have this browser called no more. */
export const disable = () => inTurn(forgotten);

async function forgotten() {
  const id = here();
  localStorage.removeItem(WANTED);
  if (id) await call("DELETE", `/api/push-subscriptions/${id}`).catch(() => {});
  if (!able()) return;
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

/** Keep what the server knows of this browser up to date; a lost subscription or key heals so. */
export const keep = () => inTurn(kept);

async function kept() {
  if (!("serviceWorker" in navigator) || document.hidden) return;
  await worker();
  if (able() && here() && Notification.permission === "granted") await told();
}

/** What is on the screen now needs no notification any more. */
export async function clear(tag) {
  const registration = able() && (await navigator.serviceWorker.getRegistration());
  if (!registration) return;
  for (const each of await registration.getNotifications()) {
    if (!tag || each.tag === tag) each.close();
  }
}
