"""The command line: `sayso`, with one file for each command group, imported when it is used.

Owns: names and flags, output, exit codes. Importing `main` loads nothing heavier than click.
Never: business rules. A command parses, calls one service and prints.
"""
