// Polls until the device has answered; then it reloads the page, which continues the sign-in.
const PAUSE = 2000;
const place = document.getElementById("look").dataset.waits;

async function look() {
  const answer = await fetch(place, { redirect: "manual" }).catch(() => null);
  if (answer && answer.status !== 204) location.reload();
  else setTimeout(look, PAUSE);
}

document.getElementById("itself").hidden = false;
setTimeout(look, PAUSE);
