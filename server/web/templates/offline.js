// What this browser last heard, with its age; and a look at whether the server is there again.
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
  document.getElementById("last").textContent = `As of ${format.format(last.at)}, ${waited} for you.`;
}

async function look() {
  try {
    if ((await fetch("/healthz", { cache: "no-store" })).ok) location.reload();
  } catch {
    // Still away.
  }
  setTimeout(look, AGAIN);
}
setTimeout(look, AGAIN);
