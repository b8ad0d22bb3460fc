"""OWN STATE, HEAR MESSAGES, CALL THE CLIENT: one file per screen, and the rules they share.

Owns: what is on the table, who may answer what and when, the input guard, calls in threads.
Never: draws text itself; that is `approver_tui.widgets`. A call to the server never runs on the
thread that draws.

Reading order: `desk.py` (what a screen is given), `guard.py`, `whole.py` (when it may be drawn),
`table.py` (the state and its moves), `reasons.py` (why an answer is off), `inbox.py`, `panel.py`,
`approve.py`, `deny.py`.
"""
