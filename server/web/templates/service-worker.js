// Handles push messages when no page is open. It shows notifications and opens pages; it decides nothing.
"use strict";

const RISKS = ["low", "medium", "high", "critical"];
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const MOST = 20;
const LAST = 8.64e12; // seconds; the latest valid date

// The cache has no personal data: only a page that says that the server does not respond.
const KEPT = "sayso-{{ version }}";
const SHELL = ["/offline", "/offline.js", "/style.css", "/icon.svg"];

self.addEventListener("install", (event) => {
  const fresh = SHELL.map((path) => new Request(path, { cache: "no-cache" })); // files that are current give 304
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(fresh)));
  // Chromium may drop requests of a closing page that pass through a service worker.
  event.addRoutes?.({ condition: { urlPattern: "/api/*" }, source: "network" });
});

async function activate() {
  for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
  await self.clients.claim();
}
self.addEventListener("activate", (event) => event.waitUntil(activate()));

// A new version waits until the person accepts it, or until no page is open.
self.addEventListener("message", (event) => event.data === "go" && self.skipWaiting());

// A proxy may respond instead of the server; the server's own responses have one of these marks.
function away({ status, headers }) {
  const ours = headers.get("Content-Security-Policy")?.includes("trusted-types") || headers.has("X-Correlation-Id");
  return status > 501 && !ours;
}

async function reached(request) {
  const answer = await fetch(request).catch((error) => error);
  if (answer instanceof Response && !away(answer)) return answer;
  const { pathname } = new URL(request.url);
  const kept = await caches.match(request.mode === "navigate" ? "/offline" : pathname);
  return kept ?? answer;
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const ours = request.mode === "navigate" || SHELL.includes(new URL(request.url).pathname);
  if (request.method === "GET" && ours) event.respondWith(reached(request));
});

// A push message without a notification costs the permission, so unknown data becomes an object here.
function read(data) {
  try {
    return Object(data.json());
  } catch {
    return {};
  }
}

function time(seconds) {
  return new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(seconds * 1000);
}

// Every text is ours: a locked screen shows it, and no agent wrote it.
function words({ kind, id, risk, exp, n }) {
  const grave = RISKS.includes(risk) ? `${risk} risk` : "unknown risk";
  if (kind === "test") {
    return { title: "Notifications work here", body: "This is a test.", tag: "test", path: "/devices" };
  }
  if (kind === "dormant") {
    const body = "Open it once, or notifications may stop.";
    return { title: "Sayso has not been opened here for two weeks", body, tag: "dormant", path: "/" };
  }
  if (kind === "check") {
    const body = "Weekly check. You don't need to do anything.";
    return { title: "Notifications still work here", body, tag: "check", path: "/" };
  }
  if (kind === "ended") {
    const body = "An administrator revoked it. Ask them if you did not expect this.";
    return { title: "One of your devices was signed out", body, tag: "ended", path: "/devices" };
  }
  if (kind === "copied") {
    const body = "Its signature counter went backward. Remove the passkey under Devices.";
    return { title: "A copy of your passkey may be in use", body, tag: "copied", path: "/devices" };
  }
  if (n > 1) {
    const title = n > MOST ? `More than ${MOST} approvals waiting` : `${n} approvals waiting`;
    return { title, body: `Highest risk: ${grave}.`, tag: "waiting", path: "/" };
  }
  if (!ID.test(id ?? "")) {
    return { title: "Approval needed", body: "Open Sayso to see it.", tag: "waiting", path: "/" };
  }
  const body = Math.abs(exp) <= LAST ? `Expires at ${time(exp)}.` : "Open it to read the request.";
  return { title: `Approval needed, ${grave}`, body, tag: id, path: `/r/${id}`, one: true };
}

// Messages can arrive out of order: the latest count is shown.
function newest(message, shown) {
  if (message.kind !== "ask") return message;
  const known = shown.map((each) => each.data?.message).filter((each) => each?.kind === "ask");
  return known.reduce((last, each) => (each.at > last.at ? each : last), message);
}

// A repeated notification does not ring again, unless the request was escalated.
function rings({ kind, id, risk, step }, before) {
  if (kind !== "ask" || before?.kind !== "ask" || before.id !== id) return true;
  return step !== before.step || RISKS.indexOf(risk) > RISKS.indexOf(before.risk);
}

async function show(data) {
  const shown = await self.registration.getNotifications();
  const message = newest(read(data), shown);
  const { title, body, tag, path, one } = words(message);
  for (const each of shown) {
    if (tag === "waiting" && each.tag !== tag) each.close(); // a notification with this tag is replaced
  }
  const actions = [
    { action: "review", title: "Review" },
    { action: "deny", title: "Deny…" },
  ];
  await self.registration.showNotification(title, {
    body,
    tag,
    renotify: rings(message, shown.find((each) => each.tag === tag)?.data?.message),
    data: { path, message },
    actions: one ? actions : [],
  });
}

// One after the other, or the notification of one request stays next to the one for all.
let last = Promise.resolve();
self.addEventListener("push", (event) => {
  last = last.catch(() => {}).then(() => show(event.data));
  event.waitUntil(last);
});

async function open(path) {
  const wanted = new URL(path, self.location.origin);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((each) => new URL(each.url).pathname === wanted.pathname);
  if (!there) return self.clients.openWindow(path);
  if (!wanted.hash) return there.focus();
  // This worker cannot navigate a page that was loaded without it.
  const led = await there.navigate(wanted.href).catch(() => null);
  return led ? led.focus() : self.clients.openWindow(path);
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { path = "/" } = event.notification.data ?? {};
  event.waitUntil(open(event.action === "deny" ? `${path}#deny` : path));
});

async function renew() {
  const known = await (await fetch("/api/push-subscriptions")).json();
  const key = Uint8Array.from(
    atob(known.public_key.replaceAll("-", "+").replaceAll("_", "/")),
    (letter) => letter.charCodeAt(0),
  );
  const options = { userVisibleOnly: true, applicationServerKey: key };
  const made = await self.registration.pushManager.subscribe(options);
  const headers = { "Content-Type": "application/json", "Sayso-Csrf": known.csrf };
  const body = JSON.stringify(made.toJSON());
  await fetch("/api/push-subscriptions", { method: "POST", headers, body });
}

// If this fails, the next open page does the same.
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew()));
