"""BACKUPS: archives of the database; a restore lets nothing be used a second time.

Owns: the archive's format, and the order of the steps.
Never: SQL; `server.storage` does that part.
"""
