"""The commands for policy.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
