"""Commands for settings and checks of this machine.

Owns: parsing flags, calling the client, printing.
Never: a rule; the server decides.
"""
