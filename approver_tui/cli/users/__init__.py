"""The commands for the person's own account.

Owns: parsing flags, calling the client, printing.
Never: a rule; the server decides.
"""
