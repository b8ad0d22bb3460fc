"""The HTTP API of devices.

Owns: its routes and endpoints, and the models of their request and response bodies.
Never: business rules; `server.services` has them.
"""
