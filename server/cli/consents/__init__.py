"""The commands for consents.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
