"""Rows of signing in to apps.

Owns: the tables of this capability and all SQL on them.
Never: a rule; `server.services` decides.
"""
