"""The table of incidents.

Owns: the table of this capability and its SQL.
Never: a rule; `server.services` decides.
"""
