// The last data of this browser with its age, and a check whether the server responds again.
const AGAIN = 5000;

function known() {
  try {
    return JSON.parse(localStorage.getItem("sayso-last")) ?? null;
  } catch {
    return null;
  }
}

const last = known();
if (last) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const waited = last.n === 0 ? "no requests were waiting" : last.n === 1 ? "one request was waiting" : `${last.n} requests were waiting`;
  document.getElementById("last").textContent = `As of \u2068${format.format(last.at)}\u2069, ${waited} for you.`;
}

async function look() {
  try {
    if ((await fetch("/healthz", { cache: "no-store" })).ok) location.reload();
  } catch {
    // The server still does not respond.
  }
  setTimeout(look, AGAIN);
}
setTimeout(look, AGAIN);
