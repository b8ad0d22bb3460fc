"""The `tokens`, `keys` and `delegations` commands.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
