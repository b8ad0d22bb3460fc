"""WHAT THE PRODUCT DOES: one use case per function, one unit of work per state change.

Owns: sequences and decisions of the product. Each folder is a capability; the capabilities stand in
one order and import downwards alone (the contract in `pyproject.toml`). What has effects in a
higher one is an event, and its effects are a row of `reactions.py`.
Never: SQL, HTTP, keys in clear, the real clock. The rules of the specs are in `server.protocol`.
"""
