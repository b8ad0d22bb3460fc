"""Use cases of approval requests.

Owns: create, decide, view, narrow, vote, expire, withdraw, consume, receipts, one more approver.
Never: who may be asked (`approvers`).
"""
