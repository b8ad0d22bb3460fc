"""Screens: one file each, and the rules they share.

Owns: the state of the inbox, which answers are available and when, the input guard, calls in
threads.
Never: drawing text, which `approver_tui.widgets` does; calling the server on the thread that draws.

Reading order: `context.py` (what a screen gets), `guard.py`, `ready_screen.py` (when a screen may
be drawn), `panel.py`, then in `approvals`: `inbox_state.py`, `blockers.py` (why an answer is
unavailable), `inbox.py`, `approve.py`, `deny.py`.
"""
