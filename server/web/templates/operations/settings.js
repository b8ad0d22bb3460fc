// The time zone of this machine, where none was kept.
import "/live_page.js";

const zone = document.querySelector("[data-zone]");
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;
