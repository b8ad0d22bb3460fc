"""BACKUPS: archives of the database, and restores that let nothing be used a second time.

Owns: the format of archives, and the order of the steps.
Never: SQL; that is in `server.storage`.
"""
