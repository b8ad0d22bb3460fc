// A page that does not update: without the server it shows its age, and its forms are disabled.
import "/copy.js";
import "/session.js";
import { live, there } from "/live.js";

const EVERY = 5000;

// This works without signing in: text that is shown once, or typed, is not replaced by a reload.
live(() => there().then(() => false), { every: EVERY });
