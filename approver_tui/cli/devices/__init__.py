"""Commands for devices.

Owns: parsing flags, calling the client, printing.
Never: a rule; the server decides.
"""
