"""The commands for operations.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
