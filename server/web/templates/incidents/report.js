// A report: the signed denial of a request that the person did not cause, and what it quarantines.
import "/session.js";
import { busy, deny, filled, id, signed } from "/deciding.js";
import { keepEntries, reloadIfOutdated } from "/kept_entries.js";
import { attempt, call } from "/passkey.js";
import { told, watch } from "/request_state.js";

const form = document.getElementById("report");
const NO = { decision: "deny", code: "suspicious", ceremony: "none" };
const some = (count, one, more) => `${count} ${count === 1 ? one : more}`;

/** The result in numbers; the page already shows the names. */
function words({ incident, agents }) {
  if (agents.length === 0) return `The administrators were notified (${incident}). No agent had asked, so none was quarantined.`;
  const sum = (member) => agents.reduce((total, agent) => total + agent[member], 0);
  const stopped = some(agents.length, "agent was quarantined", "agents were quarantined");
  const tokens = some(sum("tokens_revoked"), "token", "tokens");
  const requests = some(sum("requests_cancelled"), "other request", "other requests");
  return `${stopped}; ${tokens} and ${requests} ended (${incident}).`;
}

async function report(scope) {
  const decision = await signed(NO);
  const { note } = filled(form);
  const body = { decision, scope, ...(note && { note }) };
  const done = await call("POST", `/api/approvals/${id}/report`, body).catch((error) => {
    if (error.known !== "in_doubt") throw error;
    throw new Error("The server did not confirm your report. Send it again; it counts only once.");
  });
  document.getElementById("told-words").textContent = words(done);
  form.hidden = true;
  document.getElementById("over").hidden = true;
  document.getElementById("told").hidden = false;
  document.getElementById("told-title").focus();
}

keepEntries(form);
const alone = () => form.elements.scope.value === "";
form.addEventListener("change", () => (form.elements.note.disabled = alone()));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(() => (alone() ? deny(NO.code, {}) : report(form.elements.scope.value)).catch(reloadIfOutdated));
});

// An ended request can still be reported; only denying it is no longer possible.
function over(one) {
  if (form.hidden) return undefined;
  const choice = form.querySelector('[name="scope"][value=""]');
  if (choice) Object.assign(choice, { checked: false, disabled: true });
  return told(one);
}
watch({ busy, over });
