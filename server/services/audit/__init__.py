"""Use cases of the audit log.

Owns: entries, searches, counting refusals that would flood the log.
Never: hashes and the Merkle tree (`server.audit_log`).
"""
