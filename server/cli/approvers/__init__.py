"""The commands for who may be asked and who may answer.

Owns: parsing flags and printing results.
Never: a rule; `server.services` decides.
"""
