"""Use cases of notifications.

Owns: the feed, rate limits, pauses, quiet hours, web push, the outbox.
Never: who is asked (`approvers`).
"""
