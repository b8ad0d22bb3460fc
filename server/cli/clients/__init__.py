"""The `agents` and `apps` commands.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
