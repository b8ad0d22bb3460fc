import { attempt, call, ready, word } from "/passkey.js";

const form = document.getElementById("form");

document.getElementById("passkey").addEventListener("click", () =>
  attempt(async () => {
    const { text, rp_id: rpId } = await call("POST", "/api/passkeys/offer");
    form.elements.word.value = await word(text, rpId);
    form.elements.word.disabled = false;
    form.submit();
  }),
);
ready();
