"""Use cases of CIBA.

Owns: the request, its hints, redemption, ping and push.
Never: showing and deciding requests (`approvals`).
"""
