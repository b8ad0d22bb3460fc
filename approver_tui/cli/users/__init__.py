"""Commands for the user's own account.

Owns: parsing flags, calling the client, printing.
Never: business rules; the server has them.
"""
