// The steps of a page. Each has its own entry in the browser's history, so that Back leaves a step and what was
// typed in it stays.

/**
 * Show the step that the address names, and follow it. `show` gets the name of a step, or "" for none;
 * `allowed` reports whether a step can be entered now.
 */
export function steps(show, allowed) {
  let isEntered = false;
  const plain = () => history.replaceState(null, "", location.pathname + location.search);
  function turn() {
    const name = location.hash.slice(1);
    if (name && !allowed(name)) plain();
    show(allowed(name) ? name : "");
  }
  window.addEventListener("hashchange", turn);
  if (location.hash) turn();
  return {
    enter(name) {
      isEntered = true;
      location.hash = name;
    },
    leave() {
      if (isEntered) return history.back();
      plain();
      show("");
    },
  };
}
