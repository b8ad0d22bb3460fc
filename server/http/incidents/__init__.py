"""The HTTP API of incidents.

Owns: its routes and endpoints, and the models of their request and response bodies.
Never: a rule; `server.services` decides.
"""
