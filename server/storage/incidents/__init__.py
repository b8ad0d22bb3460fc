"""The table of incidents.

Owns: the table of this capability and its SQL.
Never: business rules; `server.services` has them.
"""
