"""Pages to sign in to apps, consent, and sign out.

Owns: these pages and forms, as rows.
Never: decisions; a device signs them.
"""
