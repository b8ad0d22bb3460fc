// A request that has ended: its record, and the button that asks the agent to retry.
import "/fixed_page.js";
import { attempt, call } from "/passkey.js";

const button = document.getElementById("retry");
button?.addEventListener("click", () =>
  attempt(async () => {
    await call("POST", `/api/approvals/${button.dataset.id}/retry`);
    location.reload();
  }),
);
