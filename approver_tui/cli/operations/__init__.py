"""Commands for settings and checks of this machine.

Owns: parsing flags, calling the client, printing.
Never: business rules; the server has them.
"""
