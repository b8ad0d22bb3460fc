"""Sayso's server: agents ask, people answer, tokens name both.

Owns: everything behind the HTTP interface and the `sayso` command.
Never: screens and approvers' keys; those are in `approver_tui`.

Read first: `protocol/approvals/states.py` (the states of an approval), `services/approvals` (the
approver's side), `services/ciba` (the agent's side), `app.py` (the wiring). A layer imports only
from the layers after it: cli, serving, app, settings, web, http, storage | delivery | crypto,
telemetry, services, protocol | audit_log.
"""
