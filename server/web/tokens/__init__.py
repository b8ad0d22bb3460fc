"""Pages about issued tokens and signing keys.

Owns: these pages and forms, as rows.
Never: tokens, keys.
"""
