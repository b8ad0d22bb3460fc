"""The commands for approval requests.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
