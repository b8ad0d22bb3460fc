"""The commands for consents.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
