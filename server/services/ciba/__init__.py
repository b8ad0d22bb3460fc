"""Use cases of the agent's CIBA request.

Owns: the request, its hints, redemption, ping and push.
Never: what a person does with it (`approvals`).
"""
