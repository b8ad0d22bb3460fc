"""BACKUPS: archives of the database, and restores after which nothing can be used twice.

Owns: the format of archives, and the order of the steps.
Never: SQL; that is in `server.storage`.
"""
