"""Rows of who may be asked and who may answer.

Owns: the tables of this capability and all SQL on them.
Never: a rule; `server.services` decides.
"""
