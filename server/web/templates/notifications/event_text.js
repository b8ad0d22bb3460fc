// An event of the feed as one sentence. Names come from people: they are isolated and inserted as text.
const WORDS = {
  "alarm.passkey_counter": "A copy of this passkey may be in use. Remove it:",
  "approval.cancelled": "A request was withdrawn.",
  "approval.expired": "A request expired. Expiring isn't a denial.",
  "approval.redeemed": "The agent collected its token.",
  "approval.vote_withdrawn": "The approval of one of several approvers no longer counts.",
  "approval.voted": "One of several approvers approved.",
  "deputy.ended": "A deputy was revoked.",
  "deputy.named": "A deputy was added.",
  "device.enrolled": "A device was enrolled:",
  "device.locked": "A device was locked:",
  "device.revoked": "A device was removed:",
  "device.unlocked": "A device was unlocked:",
  "device.vouched": "A device was vouched for:",
};
const SILENT = ["approval.executed", "approval.extended", "approval.reminder", "approval.digest"];
const SOME = "Something changed.";
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu; // characters that reorder text or cannot be seen
let sentences = 0;

function name(text) {
  const made = document.createElement("bdi");
  made.textContent = text.replace(HIDDEN, "\ufffd");
  return made;
}

// The granted text is shown before a wider request.
function limits({ granted, display }) {
  if (!granted) return [];
  return [" Granted: ", name(granted.headline), " (requested: ", name(JSON.parse(display).headline), ")."];
}

function decided(approval) {
  const answer = approval.decided;
  if (!answer) return [`Approved under a ${approval.decided_by?.standing_grant ? "standing grant" : "consent"}.`];
  const yes = answer.decision === "approve";
  const who = answer.by.id === document.body.dataset.user ? "you" : name(answer.by.name);
  const sentence = [yes ? "Approved by " : "Denied by ", who, " on ", name(answer.device.name), "."];
  return yes ? [...sentence, ...limits(approval)] : sentence;
}

function sentence({ event, approval, device }) {
  if (event === "approval.decided" && approval) return decided(approval);
  const words = WORDS[event] ?? SOME;
  return words.endsWith(":") ? [words, " ", device ? name(device.name) : "unknown", "."] : [words];
}

/** Show an event in the page's notice; for more than one, say that there are several. */
export function told(frame) {
  if (frame.type !== "event" || SILENT.includes(frame.event)) return;
  sentences += 1;
  const words = sentences === 1 ? sentence(frame) : ["Several things changed."];
  document.querySelector("#news a").replaceChildren(...words, " Show changes");
}
