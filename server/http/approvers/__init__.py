"""The HTTP API of who may be asked and who may answer.

Owns: its routes, its endpoints, and their bodies and answers as models.
Never: a rule; `server.services` decides.
"""
