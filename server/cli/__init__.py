"""THE COMMAND LINE: `sayso`, one file per command group, imported when it is used.

Owns: names and flags, output, exit codes. Importing `main` loads click and nothing heavy.
Never: a rule of the product. A command parses, calls one service and prints.
"""
