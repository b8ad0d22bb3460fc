"""Use cases of the audit log.

Owns: entries and searches among them.
Never: the log's arithmetic (`server.audit_log`).
"""
