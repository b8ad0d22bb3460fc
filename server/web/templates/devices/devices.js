import "/live_page.js";
import "/notifications.js";
import { attempt, call } from "/passkey.js";

const sure = document.getElementById("sure");
let wanted = null;

for (const button of document.querySelectorAll("[data-remove]")) {
  button.addEventListener("click", () => {
    wanted = button.dataset.remove;
    document.getElementById("sure-name").textContent = button.dataset.name;
    sure.showModal();
  });
}
document.getElementById("sure-no").addEventListener("click", () => sure.close());
document.getElementById("sure-yes").addEventListener("click", () =>
  attempt(async () => {
    sure.close();
    await call("DELETE", `/api/devices/${wanted}`);
    location.reload();
  }),
);
