"""Commands for notifications.

Owns: parsing flags, calling the client, printing.
Never: business rules; the server has them.
"""
