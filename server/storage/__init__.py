"""ROWS IN, RECORDS OUT: the only SQLAlchemy, for SQLite and PostgreSQL.

Owns: tables, migrations, units of work, the one writing connection of a process.
Never: a rule of the product. What must be true before a row changes stands in the UPDATE's WHERE,
because `server.services` asked for it.
"""
