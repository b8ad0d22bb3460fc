// What is known about an answer that was sent, and what may be said about it.
const REFUSAL = 400;
const REQUEST_TIMEOUT = 408;
const SERVER_ERROR = 500;

/** Each state of knowledge with its words; `what` is an approval or a denial. A browser never tells that nothing left. */
export const SAYS = {
  recorded: (what) => `Your ${what} was recorded.`,
  in_doubt: (what) => `Checking whether your ${what} was recorded…`,
  unknown: (what) => `It is not known whether your ${what} was recorded. Load this page again.`,
  not_recorded: (what) => `Your ${what} was not recorded. The request still waits.`,
};

/** What a status of HTTP tells about the request that it answers; undefined where no answer came. */
export function known(status) {
  if (status === undefined || status >= SERVER_ERROR || status === REQUEST_TIMEOUT) return "in_doubt";
  return status < REFUSAL ? "recorded" : "not_recorded";
}
