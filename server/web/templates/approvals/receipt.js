// A receipt that this browser verifies: the one on the page, or one from a file.
import "/fixed_page.js";
import { proved } from "/receipt_proof.js";
import { attempt } from "/passkey.js";

const WORDS = { proved: "verified", wrong: "invalid", unknown: "not verified" };

function line({ what, state, why }) {
  const row = document.createElement("li");
  const mark = document.createElement("strong");
  mark.className = `state ${state}`;
  mark.textContent = WORDS[state];
  row.append(mark, ` ${what}${why ? `: ${why}` : ""}.`);
  return row;
}

/** Verify a receipt and show the result in this part of the page. */
async function check(text, whose, part) {
  const { keys } = await (await fetch("/jwks")).json();
  const found = await proved(JSON.parse(text), keys);
  const wrong = found.some(({ state }) => state === "wrong");
  const vouched = found.at(-1).state === "proved";
  const verdict = wrong ? "is not valid" : vouched ? "is valid" : "could not be verified";
  show(part, `${whose} ${verdict}.`, found);
}

function show(part, verdict, found = []) {
  part.hidden = false;
  part.querySelector("ul").replaceChildren(...found.map(line));
  part.querySelector(".verdict").textContent = verdict;
}

// The result for a file is shown next to its field, and replaces that of an earlier file.
const file = document.getElementById("file");
const ofFile = document.getElementById("of-file");
file.addEventListener("change", async () => {
  const [chosen] = file.files;
  ofFile.hidden = true;
  if (!chosen) return;
  const text = await chosen.text();
  const isReceipt = (() => {
    try {
      const { approval, answers, server_signature: signature } = JSON.parse(text);
      return typeof approval === "object" && Array.isArray(answers) && typeof signature === "string";
    } catch {
      return false;
    }
  })();
  if (!isReceipt) return show(ofFile, `${chosen.name} is not a receipt. Choose a file that you downloaded here as JSON.`);
  await check(text, chosen.name, ofFile).catch(() => show(ofFile, "Can't reach the server, so nothing was verified."));
});
document.getElementById("print").addEventListener("click", () => window.print());
attempt(() => check(document.getElementById("whole").textContent, "This receipt", document.getElementById("of-page")));
