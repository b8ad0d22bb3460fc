"""The HTTP layer: one table of routes, an endpoint function for each, and Flask around them.

Owns: reading requests, writing responses, translating errors, the live feed's socket.
Never: business rules, SQL. `server.app` passes the adapters in; this package imports none of them.
"""
