"""Standing grants: those that somebody gave, and the request for one more.

Owns: these pages and forms, as rows.
Never: gives one; that is an approval.
"""
