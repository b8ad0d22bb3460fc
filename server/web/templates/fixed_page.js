// A page that stands as it was loaded: without the server it says how old it is, and nothing is sent from it.
import "/session.js";
import { live, there } from "/live.js";

const EVERY = 5000;

// Nobody has to be signed in for this: what was shown once, or typed, is not loaded anew over it.
live(() => there().then(() => false), { every: EVERY });
