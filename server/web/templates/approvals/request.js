// One request: read it, then approve in two steps.
import "/session.js";
import { arming, busy, deny, filled, id, read, yes } from "/deciding.js";
import { keepEntries, reloadIfOutdated } from "/kept_entries.js";
import { clear } from "/push.js";
import { attempt, say } from "/passkey.js";
import { watch } from "/request_state.js";
import { steps } from "/steps.js";

const facts = document.getElementById("facts");
const panels = { approve: document.getElementById("approve"), deny: document.getElementById("deny") };
const open = document.getElementById("to-approve");
const toDeny = document.getElementById("to-deny");
const buttons = { approve: open, deny: toDeny };
const sure = document.getElementById("approve-now");
const hint = document.getElementById("hint");
const armed = arming(sure, () => !panels.approve.hidden);

// Approve… is disabled until every material fact has been on the screen.
read(() => {
  if ("barred" in open.dataset) return;
  open.disabled = false;
  hint.textContent = "";
  say("You have seen every fact. Approve… is available.");
});

function show(name) {
  const left = Object.keys(panels).find((each) => !panels[each].hidden);
  armed.off();
  facts.hidden = name !== "";
  for (const [each, panel] of Object.entries(panels)) panel.hidden = each !== name;
  document.getElementById("problem").hidden = true;
  if (name === "") return left && buttons[left].focus();
  panels[name].querySelector("h1").focus();
  if (name === "approve") armed.arm();
}

toDeny.disabled = false;
const { enter, leave } = steps(show, (name) => name in buttons && !buttons[name].disabled);
open.addEventListener("click", () => enter("approve"));
toDeny.addEventListener("click", () => enter("deny"));
for (const back of document.querySelectorAll("[data-back]")) back.addEventListener("click", leave);

document.getElementById("yes").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!sure.disabled) attempt(() => yes(event.target));
});

// Fields that belong to one reason are shown only for that reason.
const no = document.getElementById("no");
function reasoned() {
  const { value, dataset } = no.querySelector("input[name=code]:checked");
  for (const each of no.querySelectorAll("[data-with]")) {
    each.hidden = ![value, dataset.takes].includes(each.dataset.with);
    for (const field of each.querySelectorAll("input")) field.disabled = each.hidden;
  }
}
keepEntries(no);
no.addEventListener("change", reasoned);
reasoned();
no.addEventListener("submit", (event) => {
  event.preventDefault();
  const extras = filled(no);
  if (extras.retry_at) extras.retry_at = new Date(extras.retry_at).toISOString();
  attempt(() => deny(no.elements.code.value, extras).catch(reloadIfOutdated));
});

watch({ busy });
clear(id).catch(() => {});
