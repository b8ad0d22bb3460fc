"""ROWS IN, RECORDS OUT: the only SQLAlchemy code, for SQLite and PostgreSQL.

Owns: tables, migrations, units of work, the process's only write connection.
Never: business rules. A precondition of a change is in the UPDATE's WHERE clause, as
`server.services` specifies it.
"""
