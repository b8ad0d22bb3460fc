// What is known about a decision that was sent, and the message for it.
const REFUSAL = 400;
const REQUEST_TIMEOUT = 408;
const SERVER_ERROR = 500;

/** The message for each state; `what` is an approval or a denial. A browser never reports that nothing was sent. */
export const SAYS = {
  recorded: (what) => `Your ${what} was recorded.`,
  in_doubt: (what) => `Checking whether your ${what} was recorded…`,
  unknown: (what) => `Your ${what} may or may not have been recorded. Reload this page.`,
  not_recorded: (what) => `Your ${what} was not recorded. The request is still waiting.`,
};

/** What an HTTP status says about the outcome of its request; undefined if there was no response. */
export function known(status) {
  if (status === undefined || status >= SERVER_ERROR || status === REQUEST_TIMEOUT) return "in_doubt";
  return status < REFUSAL ? "recorded" : "not_recorded";
}
