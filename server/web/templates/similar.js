// Approving ahead by an example, which may be over already or become so: the page says it and goes on.
import "/leave.js";
import { told, watch } from "/standing.js";

watch({ over: told });
