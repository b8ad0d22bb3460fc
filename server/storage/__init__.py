"""ROWS IN, RECORDS OUT: the only SQLAlchemy, for SQLite and PostgreSQL.

Owns: tables, migrations, units of work, the one writing connection of a process.
Never: business rules. A precondition of a change is in the UPDATE's WHERE clause, as
`server.services` specifies it.
"""
