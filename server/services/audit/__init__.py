"""Use cases of the audit log.

Owns: entries, searches among them, counting refusals that would flood them.
Never: the log's arithmetic (`server.audit_log`).
"""
