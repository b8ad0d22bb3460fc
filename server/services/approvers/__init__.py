"""Use cases of who may be asked and who may answer.

Owns: eligibility, groups, deputies, a person's backup, escalation.
Never: the answer itself (`approvals`).
"""
