"""The commands for policy.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
