// Approving ahead by an example, which may be over already or become so: the page says it and goes on.
import "/session.js";
import { told, watch } from "/request_state.js";

watch({ over: told });
