"""One plain function per route: a request comes in, an answer goes out; no Flask.

Owns: which service a route calls, and with what.
Never: a rule, a row, or another endpoint.
"""
