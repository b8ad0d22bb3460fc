"""Rows of users.

Owns: the tables of this capability and all SQL on them.
Never: a rule; `server.services` decides.
"""
