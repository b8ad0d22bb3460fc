// What no tool tells of a page: each function gives what is wrong, and [] when nothing is.
(() => {
  const PRESSED = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const BRIEF = { resultTypes: ["violations"], preload: false, selectors: false }; // no rule needs more
  const LEAST = 24; // pixels (WCAG 2.2, 2.5.8)
  const CORNERS = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.2], [0.1, 0.8], [0.9, 0.8]];
  const named = (each) => each.outerHTML.slice(0, 120);

  function shown(selector) {
    const found = Array.from(document.querySelectorAll(selector));
    return found.filter((each) => each.checkVisibility() && !each.closest("[inert]"));
  }

  /** What is hit: a box with its label, as one. */
  function target(each) {
    const ticked = ["checkbox", "radio"].includes(each.type);
    return ((ticked && each.labels[0]) || each).getBoundingClientRect();
  }

  /** A link in a sentence is as high as its line. */
  function inSentence(each) {
    if (each.tagName !== "A" || getComputedStyle(each).display !== "inline") return false;
    const block = each.closest("p, li, dd, td, th, h1, h2, h3, h4, q, figcaption, pre, label, legend");
    return block !== null && block.innerText.trim() !== each.innerText.trim();
  }

  const within = (x, y, box) =>
    Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));

  /** Nothing else is within a circle of the least width around its middle. */
  function apart(box, others) {
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    return others.every((other) => other === box || within(x, y, other) >= LEAST / 2);
  }

  function small() {
    const all = shown(PRESSED).filter((each) => !each.matches(".skip"));
    const boxes = all.map(target);
    return all
      .filter((each, at) => Math.min(boxes[at].width, boxes[at].height) < LEAST - 0.5)
      .filter((each) => !inSentence(each) && !apart(boxes[all.indexOf(each)], boxes))
      .map(named);
  }

  function unseen() {
    const wrong = [];
    for (const each of shown(`${PRESSED}, [tabindex="0"]`)) {
      each.focus();
      if (document.activeElement !== each) continue;
      const { outlineStyle, outlineWidth } = getComputedStyle(each);
      const ringed = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
      const { left, top, right, bottom } = each.getBoundingClientRect();
      const [from, to] = [Math.max(left, 0), Math.min(right, innerWidth)]; // as far as it is on the screen
      const [high, low] = [Math.max(top, 0), Math.min(bottom, innerHeight)];
      const hit = CORNERS.some(([x, y]) => {
        const there = document.elementFromPoint(from + (to - from) * x, high + (low - high) * y);
        return there !== null && (each.contains(there) || there.contains(each));
      });
      if (!ringed || !hit) wrong.push(`${ringed ? "hidden" : "no ring"}: ${named(each)}`);
    }
    return wrong;
  }

  function unbordered() {
    const drawn = "input:not([type=hidden], [type=checkbox], [type=radio])"; // those two the system draws
    const buttons = shown(`button, ${drawn}, select, textarea, .button`);
    return buttons.filter((each) => parseFloat(getComputedStyle(each).borderTopWidth) < 1).map(named);
  }

  function lost() {
    const look = (each) => {
      const { fontWeight, borderBottomColor, textDecorationLine } = getComputedStyle(each);
      return [fontWeight, borderBottomColor, textDecorationLine].join();
    };
    return shown("nav")
      .filter((list) => {
        const here = list.querySelector("[aria-current]");
        const other = list.querySelector("a:not([aria-current])");
        return here && other && look(here) === look(other);
      })
      .map(named);
  }

  function wide() {
    const { scrollWidth: found, clientWidth: room } = document.documentElement; // a phone's innerWidth grows with what is too wide
    return found > room ? [`${found} of ${room} pixels`] : [];
  }

  async function axe(...rules) {
    const only = rules.length ? { runOnly: rules } : {};
    const { violations } = await window.axe.run({ ...BRIEF, ...only });
    return violations.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 200))]);
  }

  const moving = () => document.getAnimations().map((each) => named(each.effect.target));
  const reading = (theme) => ((document.documentElement.dataset.theme = theme), []);
  window.judge = { axe, small, unseen, unbordered, lost, wide, moving, reading };
})();
