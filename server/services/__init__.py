"""WHAT THE PRODUCT DOES: one use case per function, one unit of work per state change.

Owns: sequences and decisions of the product; `ports.py` says what it needs from outside.
Never: SQL, HTTP, keys in clear, the real clock. The rules of the specs are in `server.protocol`.
"""
