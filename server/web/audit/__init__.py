"""The pages of the audit log in the console.

Owns: their page rows.
Never: changing the log.
"""
