// Changes that add power: the passkey signs this change, and the form is sent with the signature.
import "/fixed_page.js";
import { there } from "/live.js";
import { assertion, attempt, leaving, now } from "/passkey.js";

const form = document.getElementById("sign");
const { issuer, device, user, passkey, rp, purpose, subject, nonce } = form.dataset;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const at = Math.floor(now() / 1000);
    const payload = { iss: device, sub: user, aud: issuer, purpose, subject, at, nonce };
    form.elements.statement.value = await assertion(JSON.stringify(payload), rp, passkey);
    await there(); // The network may have gone while the passkey was asked.
    form.submit();
    await leaving();
  });
});
