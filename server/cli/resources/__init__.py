"""The commands for resources.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
