"""Use cases of tokens.

Owns: the token endpoint, exchange, introspection, revocation, delegations, keys.
Never: client and user authentication (`clients`, `users`).
"""
