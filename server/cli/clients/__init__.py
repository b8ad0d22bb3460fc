"""The `agents` and `apps` commands.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
