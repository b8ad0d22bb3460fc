"""The terminal app: what waits for a person's answer, shown, asked and signed.

Owns: everything behind the `sayso-approver` command, and the private keys of one device.
Never: imports `server`. The two meet only on the wire, so the app trusts no text that it has not
hashed itself.

Reading order: `state/approvals.py` (what is known), `client/deciding.py` (how an answer is signed),
`screens/inbox.py`, `app.py`. A layer imports from those below it: cli, app, settings, screens,
widgets, messages, client, state.
"""
