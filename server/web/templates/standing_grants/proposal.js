// A standing grant from an example request. If the request ends meanwhile, the page says so and continues.
import "/session.js";
import { told, watch } from "/request_state.js";

watch({ over: told });
