"""Use cases of requests for approval.

Owns: create, decide, view, narrow, vote, expire, withdraw, consume, receipts, history.
Never: who may be asked (`approvers`).
"""
