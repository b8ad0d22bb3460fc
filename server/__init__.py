"""Sayso's server: agents ask, people answer, tokens say both names.

Owns: everything behind the HTTP interface and the `sayso` command.
Never: draws a screen or holds an approver's key; that is `approver_tui`.

Reading order: `protocol/states.py` (the life of an approval), `services/approvals.py` (the person's
side), `services/ciba.py` (the agent's side), `app.py` (who is wired to whom). A layer imports from
those below it: cli, serving, app, settings, web, http, storage | delivery | crypto, telemetry,
services, protocol | audit_log.
"""
