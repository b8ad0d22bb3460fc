// A request that this person approved and that waits for others: the page follows their answers.
import "/session.js";
import { busy, withdraw } from "/deciding.js";
import { attempt } from "/passkey.js";
import { narrowed, watch } from "/request_state.js";

const { have } = document.getElementById("request").dataset;
watch({ busy, waits: (one) => one.state === "pending" && String(one.vote_tally?.have) === have && !narrowed(one) });

document.getElementById("withdraw").addEventListener("click", () => attempt(withdraw));
