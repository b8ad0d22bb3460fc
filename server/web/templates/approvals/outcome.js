// The result of a decision as it changes: collected, ended, revoked elsewhere, and the token's remaining lifetime.
import "/session.js";
import { gone } from "/buttons.js";
import { live } from "/live.js";
import { clocks, fresh, now, say } from "/passkey.js";

const part = (id, page = document) => page.getElementById(id);

function tick() {
  for (const each of document.querySelectorAll("[data-ticks]")) {
    const left = Math.ceil((Number(each.dataset.ticks) - now()) / 1000);
    const [minutes, seconds] = [Math.floor(left / 60), left % 60];
    each.textContent = left > 0 ? ` (${minutes ? `${minutes} min ` : ""}${seconds} s left)` : " (expired)";
    if (left <= 0) gone(part("token"));
  }
}

/** Replace text that the server has changed; the focus stays where it was. */
function renew(id, page) {
  const [here, there] = [part(id), part(id, page)];
  if (!there || there.dataset.state === here.dataset.state) return;
  const inside = here.contains(document.activeElement);
  here.replaceWith(document.adoptNode(there));
  clocks();
  tick();
  if (inside) part("came").querySelector("h1").focus();
  say(part(id).textContent.trim());
}

tick();
setInterval(tick, 1000);
live(async () => {
  const page = await fresh(location.href);
  renew("came", page);
  renew("token", page);
  // The next request is not replaced while somebody may be pressing it.
  if (!part("next").dataset.state || !part("next", page)?.dataset.state) renew("next", page);
});
