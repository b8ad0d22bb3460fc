"""Pages to sign in to apps, consent, and sign out.

Owns: these pages and forms, as rows.
Never: a decision that a device has to sign.
"""
