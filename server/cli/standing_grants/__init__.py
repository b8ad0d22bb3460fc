"""The commands for standing grants.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
