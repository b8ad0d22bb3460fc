"""The commands for deputies and groups of approvers.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
