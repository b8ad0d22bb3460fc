"""The tables of standing grants.

Owns: the tables of this capability and their SQL.
Never: business rules; `server.services` has them.
"""
