"""THE COMMAND LINE: `sayso`, one file per noun, loaded when the noun is used.

Owns: words and flags, what is printed, exit codes. Importing `main` loads click and nothing heavy.
Never: a rule of the product. A command parses, calls one service and prints.
"""
