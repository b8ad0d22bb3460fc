"""Pages about a person's user code.

Owns: these pages and forms, as rows.
Never: showing the code after it is set.
"""
