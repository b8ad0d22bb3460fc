"""Use cases of standing grants.

Owns: proposing, creating, using and revoking them.
Never: consents (`consents`).
"""
