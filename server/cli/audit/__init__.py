"""The commands for the audit log.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
