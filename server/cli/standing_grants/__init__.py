"""The commands for standing grants.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
