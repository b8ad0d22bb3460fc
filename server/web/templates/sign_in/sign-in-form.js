import { attempt, call, ready, assertion } from "/passkey.js";

const form = document.getElementById("form");

document.getElementById("passkey").addEventListener("click", () =>
  attempt(async () => {
    const { text, rp_id: rpId } = await call("POST", "/api/passkeys/offer");
    form.elements.assertion.value = await assertion(text, rpId);
    form.elements.assertion.disabled = false;
    form.submit();
  }),
);
ready();
