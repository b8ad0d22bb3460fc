"""The commands for operations.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
