"""Use cases of notifications.

Owns: the feed, budgets, pauses, quiet hours, web push, the outbox.
Never: who is asked (`approvers`).
"""
