// A preview of the prompt, made by the server while the file is being typed.
import "/fixed_page.js";

const PAUSE = 400;
const form = document.getElementById("action");
let waiting = 0;
let newest = null;

function draw() {
  const asked = new XMLHttpRequest();
  newest = asked;
  asked.open("POST", form.dataset.preview);
  asked.responseType = "document";
  asked.addEventListener("load", () => {
    const fresh = asked === newest && asked.response?.getElementById("preview");
    if (fresh) document.getElementById("preview").replaceWith(document.adoptNode(fresh));
  });
  asked.send(new URLSearchParams(new FormData(form)));
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(draw, PAUSE);
});
if (form.elements.document.value) draw();
