// The time zone of this machine, if none is stored; and what this browser knows of the audit log.
import { accept, follow, kept, size } from "/log_witness.js";
import { attempt } from "/passkey.js";

const zone = document.querySelector("[data-zone]");
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || zone.value;

const part = (name) => document.getElementById(`log-${name}`);

follow(() => {
  part("size").textContent = size() ? `The saved checkpoint has ${size()} entries.` : "No checkpoint saved yet.";
  part("changed").hidden = !kept()?.alarm;
  part("why").textContent = kept()?.alarm ?? "";
});

part("explained").addEventListener("change", ({ target }) => (part("accept").disabled = !target.checked));
part("accept").addEventListener("click", () => attempt(accept));
