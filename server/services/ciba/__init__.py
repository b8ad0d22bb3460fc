"""Use cases of CIBA.

Owns: the request, its hints, redemption, ping and push.
Never: what a person does with it (`approvals`).
"""
