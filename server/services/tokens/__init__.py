"""Use cases of tokens.

Owns: the token endpoint, exchange, introspection, revocation, delegations, keys.
Never: who calls (`clients`, `users`).
"""
