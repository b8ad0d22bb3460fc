// Notifications in this browser: its service worker, its subscription, and updates of both.
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

/** Whether this browser supports notifications. */
export const able = () =>
  "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

/** Our service worker. Registering it on each load finds updates. */
export const worker = async () => {
  const found = await navigator.serviceWorker.register(policy ? policy.createScriptURL(WORKER) : WORKER);
  offered(found);
  found.addEventListener("updatefound", () => {
    found.installing?.addEventListener("statechange", () => offered(found));
  });
  return navigator.serviceWorker.ready;
};

/** Offer a new version; never reload a page that is in use. */
function offered(registration) {
  const strip = document.getElementById("update");
  if (!strip || !registration.waiting || !navigator.serviceWorker.controller) return;
  strip.hidden = false;
  document.getElementById("update-now").onclick = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
    registration.waiting?.postMessage("go");
  };
}

/** The stored ID of this browser's subscription; "" if notifications are off here. */
export const here = () => localStorage.getItem(WANTED) ?? "";

// One after the other: a person who signs out while the page still subscribes gets no notifications later.
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
  const stale = lost.some((one) => one.id === former); // its push service has dropped it
  const made = await subscribed(pushManager, key, stale);
  const kept = await call("POST", "/api/push-subscriptions", made.toJSON());
  localStorage.setItem(WANTED, kept.id);
  // Delete the earlier subscription of this browser: it gets no more messages.
  if (former !== kept.id && items.some((one) => one.id === former)) await call("DELETE", `/api/push-subscriptions/${former}`);
  return kept;
}

/** Ask for permission, and turn on notifications in this browser. */
export async function enable() {
  const permission = await Notification.requestPermission();
  if (permission !== "granted") {
    throw new Error("This browser blocks notifications. Allow them in its settings.");
  }
  return inTurn(told);
}

/** Turn off notifications in this browser. */
export const disable = () => inTurn(forgotten);

async function forgotten() {
  const id = here();
  localStorage.removeItem(WANTED);
  if (id) await call("DELETE", `/api/push-subscriptions/${id}`).catch(() => {});
  if (!able()) return;
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

/** Keep the server's data about this browser current; this repairs a lost subscription or key. */
export const keep = () => inTurn(kept);

async function kept() {
  if (!("serviceWorker" in navigator) || document.hidden) return;
  await worker();
  if (able() && here() && Notification.permission === "granted") await told();
}

/** Close notifications about what is on the screen now. */
export async function clear(tag) {
  const registration = able() && (await navigator.serviceWorker.getRegistration());
  if (!registration) return;
  for (const each of await registration.getNotifications()) {
    if (!tag || each.tag === tag) each.close();
  }
}
