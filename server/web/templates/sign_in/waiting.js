// Looks whether the device has answered; then the page is loaded again, which takes its person on.
const PAUSE = 2000;
const place = document.getElementById("look").dataset.waits;

async function look() {
  const answer = await fetch(place, { redirect: "manual" }).catch(() => null);
  if (answer && answer.status !== 204) location.reload();
  else setTimeout(look, PAUSE);
}

document.getElementById("itself").hidden = false;
setTimeout(look, PAUSE);
