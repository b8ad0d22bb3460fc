// The code is in the fragment of the link, which browsers never send to a server.
import { attempt, call, decoded, encoded, ready } from "/passkey.js";

const code = document.getElementById("code");
code.value = location.hash.slice(1, 61);
history.replaceState(null, "", location.pathname);
const systems = ["iPhone", "iPad", "Android", "Windows", "Mac", "Linux"];
const system = systems.find((each) => navigator.userAgent.includes(each));
const name = document.getElementById("name");
if (system) name.value = `${system} browser`;

function options(told) {
  const known = told.excludeCredentials.map((each) => ({ ...each, id: decoded(each.id) }));
  return {
    ...told,
    challenge: decoded(told.challenge),
    user: { ...told.user, id: decoded(told.user.id) },
    excludeCredentials: known,
  };
}

document.getElementById("make").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const told = await call("POST", "/api/passkeys/options", { code: code.value });
    const { response } = await navigator.credentials.create({ publicKey: options(told) });
    await call("POST", "/api/passkeys", {
      code: code.value,
      name: name.value,
      attestation: encoded(response.attestationObject),
      client_data: encoded(response.clientDataJSON),
    });
    location.assign("/");
  });
});
ready();
