"""Use cases of approval requests.

Owns: creating, showing, deciding, narrowing, expiring, withdrawing and consuming approvals; votes,
receipts, and adding an approver.
Never: choosing whom to ask (`approvers`).
"""
