"""The tables of standing grants.

Owns: the tables of this capability and their SQL.
Never: a rule; `server.services` decides.
"""
