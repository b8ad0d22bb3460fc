"""Use cases of approvers.

Owns: eligibility, groups, deputies, backups, escalation.
Never: decisions (`approvals`).
"""
