"""The SQL of consents.

Owns: all SQL on the table of consents.
Never: business rules; `server.services` has them.
"""
