"""The terminal app: shows waiting requests, asks for an answer, and signs it.

Owns: the code of the `sayso-approver` command, and the private keys of one device.
Never: importing `server`, except `server.audit_log`. The two share only the wire format, so the app
trusts no text that it has not hashed itself.

Reading order: `state/approvals/approvals.py` (the data), `client/approvals/decisions.py` (how an
answer is signed), `screens/approvals/inbox.py`, `app.py`. A layer imports from those below it: cli,
app, settings, screens, widgets, messages, client, state.
"""
