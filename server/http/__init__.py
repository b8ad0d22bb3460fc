"""HTTP IN, HTTP OUT: one table of routes, an endpoint function for each, Flask around them.

Owns: reading requests, writing responses, translating errors, the live feed's socket.
Never: business rules, SQL. `server.app` passes the adapters in; this package imports none of them.
"""
