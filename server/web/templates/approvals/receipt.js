// A receipt that this browser verifies: the one on the page, or one from a file.
import "/fixed_page.js";
import { proved } from "/receipt_proof.js";
import { attempt } from "/passkey.js";

const WORDS = { proved: "proved", wrong: "wrong", unknown: "not proved" };
const list = document.getElementById("proved");

function line({ what, state, why }) {
  const row = document.createElement("li");
  const mark = document.createElement("strong");
  mark.className = `state ${state}`;
  mark.textContent = WORDS[state];
  row.append(mark, ` ${what}${why ? `: ${why}` : ""}.`);
  return row;
}

async function check(text, whose) {
  const receipt = JSON.parse(text);
  const { keys } = await (await fetch("/jwks")).json();
  const found = await proved(receipt, keys);
  list.replaceChildren(...found.map(line));
  const wrong = found.some(({ state }) => state === "wrong");
  const vouched = found.at(-1).state === "proved";
  const verdict = wrong ? "does not hold" : vouched ? "holds" : "is not proved";
  document.getElementById("verdict").textContent = `${whose} ${verdict}.`;
}

const page = () => check(document.getElementById("whole").textContent, "This receipt");
const file = document.getElementById("file");
file.addEventListener("change", () => attempt(async () => check(await file.files[0].text(), file.files[0].name)));
document.getElementById("print").addEventListener("click", () => window.print());
attempt(page);
