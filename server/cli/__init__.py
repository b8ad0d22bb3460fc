"""THE COMMAND LINE: `sayso`, one file per command group, imported when it is used.

Owns: names and flags, output, exit codes. Importing `main` loads click and nothing heavy.
Never: business rules. A command parses, calls one service and prints.
"""
