"""The commands for approval requests.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
