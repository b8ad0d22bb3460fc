"""Screens: one file each, and the rules they share.

Owns: the state of the inbox, who may answer what and when, the input guard, calls in threads.
Never: drawing text; `approver_tui.widgets` does. A call to the server never runs on the thread that
draws.

Reading order: `context.py` (what a screen gets), `guard.py`, `ready_screen.py` (when it may be
drawn), `panel.py`, then in `approvals`: `inbox_state.py`, `reasons.py` (why an answer is
unavailable), `inbox.py`, `approve.py`, `deny.py`.
"""
