"""Rows of sign-ins to apps.

Owns: the tables of this capability and all SQL on them.
Never: business rules; `server.services` has them.
"""
