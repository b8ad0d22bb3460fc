"""The HTTP API of policy.

Owns: its routes and endpoints, and the models of their request and response bodies.
Never: a rule; `server.services` decides.
"""
