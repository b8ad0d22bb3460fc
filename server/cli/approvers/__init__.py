"""The commands for deputies and groups of approvers.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
