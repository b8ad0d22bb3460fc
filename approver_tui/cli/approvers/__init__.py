"""The commands for who may answer for whom.

Owns: parsing flags, calling the client, printing.
Never: a rule; the server decides.
"""
