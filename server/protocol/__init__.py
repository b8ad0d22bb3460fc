"""WHAT THE SPECS SAY: the rules of OAuth, CIBA and Sayso's own protocol, as pure functions.

Owns: errors, names, state tables, hashed or signed strings, and rules for claims.
Never: I/O, clocks, randomness, keys or rows. It imports only the standard library and rfc8785.
`server.services` has the steps of each use case.
"""
