"""Commands for the user's own account.

Owns: parsing flags, calling the client, printing.
Never: a rule; the server decides.
"""
