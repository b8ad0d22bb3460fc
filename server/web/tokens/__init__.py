"""Pages about issued tokens and signing keys.

Owns: these pages and forms, as rows.
Never: a token itself, or a key.
"""
