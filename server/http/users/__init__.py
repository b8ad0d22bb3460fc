"""The HTTP API of users.

Owns: its routes, its endpoints, and their bodies and answers as models.
Never: business rules; `server.services` has them.
"""
