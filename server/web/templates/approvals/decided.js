// One request that is over: a record, and the word to its agent that it may ask again.
import "/fixed_page.js";
import { attempt, call } from "/passkey.js";

const button = document.getElementById("retry");
button?.addEventListener("click", () =>
  attempt(async () => {
    await call("POST", `/api/approvals/${button.dataset.id}/retry`);
    location.reload();
  }),
);
