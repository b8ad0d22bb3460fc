// Shows the chosen image in its frame before it is sent; pages show it at half the size.
import "/fixed_page.js";
import { decoded, encoded } from "/passkey.js";

const MOST = 32 * 1024;
const field = document.getElementById("icon");
const file = document.getElementById("icon-file");
const state = document.getElementById("icon-state");
const board = document.getElementById("icon-drawn");
const kept = field.value;

function nothing(words) {
  board.getContext("2d").clearRect(0, 0, board.width, board.height);
  state.textContent = words;
}

async function draw(blob, words) {
  const picture = await createImageBitmap(blob);
  board.getContext("2d").clearRect(0, 0, board.width, board.height);
  board.getContext("2d").drawImage(picture, 0, 0, board.width, board.height);
  state.textContent = `${words} ${picture.width} by ${picture.height} pixels, ${blob.size} bytes.`;
}

async function begin() {
  if (field.value.startsWith("/")) await draw(await (await fetch(field.value)).blob(), "Current icon:");
  else if (field.value) await draw(new Blob([decoded(field.value)]), "Chosen:");
}

async function choose() {
  const [chosen] = file.files;
  field.value = kept;
  if (!chosen) return begin();
  if (chosen.size > MOST) return nothing("That file is larger than 32 kB. The icon was not changed.");
  await draw(chosen, "Chosen:");
  field.value = encoded(await chosen.arrayBuffer());
}

const unreadable = () => nothing("That file is not an image. The icon was not changed.");
file.addEventListener("change", () => choose().catch(unreadable));
document.getElementById("icon-none").addEventListener("click", () => {
  file.value = "";
  field.value = "";
  nothing("No icon: the first letter is shown.");
});
begin().catch(() => {});
