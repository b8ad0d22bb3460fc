import { attempt, call, ready, assertion } from "/passkey.js";

document.getElementById("sign-in").addEventListener("click", () =>
  attempt(async () => {
    const { text, rp_id: rpId } = await call("POST", "/api/passkeys/offer");
    await call("POST", "/api/passkeys/sign-in", { assertion: await assertion(text, rpId) });
    const next = document.getElementById("next"); // A page that is the response to a form cannot be reloaded.
    if (next) next.submit();
    else location.reload();
  }),
);
ready();
