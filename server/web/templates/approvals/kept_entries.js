// The entries of a form, kept in this tab while its person reloads the page or signs in again.
import { busy } from "/deciding.js";
import { isOutdated, typed } from "/passkey.js";

const NAME = "sayso-entries";

/** Restore what this person typed in the form of this page, and keep it when the page is left. */
export function keepEntries(form) {
  const owner = document.body.dataset.user + location.pathname;
  const kept = JSON.parse(sessionStorage.getItem(NAME));
  sessionStorage.removeItem(NAME);
  for (const [name, value] of kept?.owner === owner ? kept.entries : []) form.elements[name].value = value;
  window.addEventListener("pagehide", () => {
    const entries = Array.from(new FormData(form));
    if (typed() && !busy() && !form.hidden) sessionStorage.setItem(NAME, JSON.stringify({ owner, entries }));
  });
}

/** Reload a page whose sign-in has ended, which asks for a new one. Throws every error again. */
export function reloadIfOutdated(error) {
  if (isOutdated(error)) location.reload();
  throw error;
}
