// Approve with limits: the form contains the granted text, as the server made it.
import "/session.js";
import { arming, busy, read, yes } from "/deciding.js";
import { attempt, say } from "/passkey.js";
import { watch } from "/request_state.js";
import { steps } from "/steps.js";

const sure = document.getElementById("approve-now");
if (sure && !("barred" in sure.dataset)) {
  const form = document.getElementById("yes");
  const title = document.getElementById("less-title");
  const open = document.getElementById("to-approve");
  let isRead = false;
  const armed = arming(sure, () => isRead && !form.hidden);

  // If a fact is typed back, nothing next to its field shows its value.
  const show = (name) => {
    const step = name !== "";
    for (const each of document.querySelectorAll("[data-told]")) each.hidden = step;
    form.hidden = !step;
    armed.off();
    document.getElementById("problem").hidden = true;
    (step ? title : open).focus();
    if (step) armed.arm();
  };
  if (open) {
    const { enter, leave } = steps(show, (name) => name === "approve" && !open.disabled);
    open.addEventListener("click", () => enter("approve"));
    form.querySelector("[data-back]").addEventListener("click", leave);
  }

  read(() => {
    isRead = true;
    if (!open) return armed.arm();
    open.disabled = false;
    say("You have seen every fact. Approve with limits… is available.");
  });
  title.focus();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!sure.disabled) attempt(() => yes(event.target));
  });
}
watch({ busy });
