// A request that this person approved and that waits for others: the page follows their answers.
import "/session.js";
import { watch } from "/request_state.js";

const { have } = document.getElementById("request").dataset;
watch({ waits: (one) => one.state === "pending" && String(one.vote_tally?.have) === have });
