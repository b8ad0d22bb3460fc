"""The commands for the audit log.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
