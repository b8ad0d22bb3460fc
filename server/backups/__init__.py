"""BACKUPS: an archive of the database, and putting one back so that nothing counts a second time.

Owns: the archive's format, and the order of the steps.
Never: SQL; `server.storage` does that part.
"""
