"""The commands for incidents.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
