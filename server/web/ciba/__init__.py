"""Pages about a person's user code.

Owns: these pages and forms, as rows.
Never: the code itself, once it is set.
"""
