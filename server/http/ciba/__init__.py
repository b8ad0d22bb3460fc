"""The HTTP API of the agent's CIBA request.

Owns: its routes, its endpoints, and their bodies and answers as models.
Never: a rule; `server.services` decides.
"""
