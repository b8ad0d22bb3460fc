"""The commands for notifications.

Owns: parsing flags and printing results.
Never: business rules; `server.services` has them.
"""
