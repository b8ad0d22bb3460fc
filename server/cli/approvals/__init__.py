"""The commands for requests for approval.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
