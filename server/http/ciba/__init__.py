"""The HTTP API of user codes.

Owns: its routes, its endpoints, and their bodies and answers as models.
Never: a rule; `server.services` decides.
"""
