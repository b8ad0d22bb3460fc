"""Pages about issued tokens and signing keys.

Owns: these pages and forms, as rows.
Never: showing a token or a private key.
"""
