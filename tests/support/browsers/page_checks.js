// Accessibility checks that axe does not have. Each function returns what is wrong, or [].
(() => {
  const TARGETS = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const FAST = { resultTypes: ["violations"], preload: false, selectors: false }; // no rule needs more
  const CLEAR = "rgba(0, 0, 0, 0) none 1"; // neither a background nor an opacity
  const MIN_SIZE = 24; // pixels (WCAG 2.2, 2.5.8)
  const CORNERS = [[0.5, 0.5], [0.1, 0.2], [0.9, 0.2], [0.1, 0.8], [0.9, 0.8]];
  const named = (each) => each.outerHTML.slice(0, 120);

  function shown(selector) {
    const found = Array.from(document.querySelectorAll(selector));
    return found.filter((each) => each.checkVisibility() && !each.closest("[inert]"));
  }

  /** The clickable area: for a checkbox, that of its label. */
  function target(each) {
    const ticked = ["checkbox", "radio"].includes(each.type);
    return ((ticked && each.labels[0]) || each).getBoundingClientRect();
  }

  /** A link in a sentence has the height of its line and may be small. */
  function inSentence(each) {
    if (each.tagName !== "A" || getComputedStyle(each).display !== "inline") return false;
    const block = each.closest("p, li, dd, td, th, h1, h2, h3, h4, q, figcaption, pre, label, legend");
    return block !== null && block.innerText.trim() !== each.innerText.trim();
  }

  const within = (x, y, box) =>
    Math.hypot(Math.max(box.left - x, 0, x - box.right), Math.max(box.top - y, 0, y - box.bottom));

  /** No other target is within a circle of the minimum size around its center. */
  function apart(box, others) {
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    return others.every((other) => other === box || within(x, y, other) >= MIN_SIZE / 2);
  }

  function smallTargets() {
    const all = shown(TARGETS).filter((each) => !each.matches(".skip"));
    const boxes = all.map(target);
    return all
      .filter((each, at) => Math.min(boxes[at].width, boxes[at].height) < MIN_SIZE - 0.5)
      .filter((each) => !inSentence(each) && !apart(boxes[all.indexOf(each)], boxes))
      .map(named);
  }

  function hiddenFocus() {
    const wrong = [];
    for (const each of shown(`${TARGETS}, [tabindex="0"]`)) {
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

  function missingBorders() {
    const drawn = "input:not([type=hidden], [type=checkbox], [type=radio])"; // those two the system draws
    const buttons = shown(`button, ${drawn}, select, textarea, .button`);
    return buttons.filter((each) => parseFloat(getComputedStyle(each).borderTopWidth) < 1).map(named);
  }

  function unmarkedCurrent() {
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

  function overflow() {
    const { scrollWidth: found, clientWidth: room } = document.documentElement; // a phone's innerWidth grows with what is too wide
    return found > room ? [`${found} of ${room} pixels`] : [];
  }

  async function found(where, only) {
    const { violations } = await window.axe.run(where, { ...FAST, ...only });
    return violations.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 200))]);
  }

  const axe = () => found(document, { rules: { "color-contrast": { enabled: false } } });
  const scrolled = () => found(document, { runOnly: ["scrollable-region-focusable"] }); // what the width alone decides

  /** The contrast of all texts with one of these inks. */
  const contrast = (some) => found({ include: some.flatMap((ink) => inked.get(ink)) }, { runOnly: ["color-contrast"] });

  let inked = new Map();

  /** What the contrast of texts depends on: each color with its size and with what lies under it. */
  function inks() {
    inked = new Map();
    const under = (each, ground) => {
      if (!each.checkVisibility()) return;
      const { backgroundColor, backgroundImage, color, fontSize, fontWeight, opacity } = getComputedStyle(each);
      const own = [backgroundColor, backgroundImage, opacity].join(" ");
      const isOpaque = /^rgb\(/.test(backgroundColor) && opacity === "1";
      const grounds = isOpaque ? own : own === CLEAR ? ground : `${own} / ${ground}`;
      const ink = [color, fontSize, fontWeight, grounds].join(" on ");
      inked.set(ink, [...(inked.get(ink) ?? []), each]);
      for (const child of each.children) under(child, grounds);
    };
    under(document.documentElement, "");
    return [...inked.keys()];
  }

  let seen = new Set();
  const remember = () => ((seen = new Set(shown("*"))), []);

  /** The tags of what is shown now and was not when the page was remembered, or the other way round. */
  function changed() {
    const now = new Set(shown("*"));
    const other = [...now].filter((each) => !seen.has(each)).concat([...seen].filter((each) => !now.has(each)));
    return [...new Set(other.map((each) => each.cloneNode().outerHTML))];
  }

  const animations = () => document.getAnimations().map((each) => named(each.effect.target));
  const setTheme = (theme) => ((document.documentElement.dataset.theme = theme), []);
  window.checks = { axe, scrolled, smallTargets, hiddenFocus, missingBorders, unmarkedCurrent, overflow, animations, setTheme, inks, contrast, remember, changed };
})();
