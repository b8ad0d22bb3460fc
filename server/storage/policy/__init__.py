"""The tables of policy.

Owns: the tables of this capability and their SQL.
Never: a rule; `server.services` decides.
"""
