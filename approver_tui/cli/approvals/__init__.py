"""The commands for requests for approval.

Owns: parsing flags, calling the client, printing.
Never: a rule; the server decides.
"""
