"""The commands for agents and apps.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
