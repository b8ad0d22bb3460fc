"""The SQL of consents.

Owns: all SQL on the table of consents.
Never: a rule; `server.services` decides.
"""
