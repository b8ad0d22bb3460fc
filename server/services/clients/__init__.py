"""Use cases of agents and apps.

Owns: members, credentials, owners, registration, invitations, icons, client authentication.
Never: their tokens (`tokens`).
"""
