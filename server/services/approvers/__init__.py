"""Use cases of who may be asked and who may answer.

Owns: eligibility, groups, deputies, backups, escalation.
Never: the answer itself (`approvals`).
"""
