"""The `token`, `keys` and `delegations` commands.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
