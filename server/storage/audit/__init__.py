"""The SQL of the audit log.

Owns: all SQL on the table of audit entries.
Never: business rules; `server.services` has them.
"""
