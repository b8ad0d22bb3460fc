// The part of a page that shows whether and where its person gets notifications.
import { able, disable, enable, here } from "/push.js";
import { attempt, call, say } from "/passkey.js";

const part = document.getElementById("notifications");
const state = document.getElementById("push-state");
const on = document.getElementById("push-on");
const off = document.getElementById("push-off");

const STATES = {
  never: "This browser does not support notifications. On an iPhone, add Sayso to the home screen first.",
  denied: "This browser blocks notifications from Sayso. Allow them in the browser's settings for this site.",
  off: "Notifications are off in this browser. Waiting requests are in the inbox and in your terminal.",
  on: "Notifications are on in this browser. The browser must be running.",
};

function now() {
  if (!able()) return "never";
  if (Notification.permission === "denied") return "denied";
  return here() && Notification.permission === "granted" ? "on" : "off";
}

export function notifications() {
  const which = now();
  part.dataset.state = which;
  state.textContent = STATES[which];
  on.hidden = which !== "off";
  off.hidden = which !== "on";
  on.disabled = off.disabled = false;
}

function doing(button, work) {
  button.addEventListener("click", () =>
    attempt(async () => {
      button.disabled = true;
      try {
        await work();
      } finally {
        button.disabled = false;
        notifications();
      }
    }),
  );
}

doing(on, async () => {
  await enable();
  location.reload();
});
doing(off, async () => {
  await disable();
  location.reload();
});
for (const button of document.querySelectorAll("[data-push-test]")) {
  doing(button, async () => {
    await call("POST", `/api/push-subscriptions/${button.dataset.pushTest}/test`);
    say("Test notification sent.");
    document.getElementById("push-sent").hidden = false;
  });
}
for (const button of document.querySelectorAll("[data-push-remove]")) {
  doing(button, async () => {
    if (button.dataset.pushRemove === here()) await disable();
    else await call("DELETE", `/api/push-subscriptions/${button.dataset.pushRemove}`);
    location.reload();
  });
}
notifications();
