"""The HTTP API of agents and apps.

Owns: its routes and endpoints, and the models of their request and response bodies.
Never: business rules; `server.services` has them.
"""
