"""The commands for devices.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
