"""The HTTP API of notifications.

Owns: its routes, its endpoints, and their bodies and answers as models.
Never: business rules; `server.services` has them.
"""
