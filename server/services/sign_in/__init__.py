"""Use cases of signing in to apps.

Owns: authorize, pushed requests, sessions, logout, userinfo.
Never: issuing the tokens (`tokens`).
"""
