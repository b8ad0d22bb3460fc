"""WHAT THE PRODUCT DOES: one use case per function, one unit of work per state change.

Owns: sequences and decisions of the product. Each folder is a capability. The capabilities are
ordered, and each imports only from lower ones (see the contract in `pyproject.toml`). An effect on
a higher capability is an event, and `reactions.py` lists what handles it.
Never: SQL, HTTP, plaintext keys, the real clock. The rules of the specs are in `server.protocol`.
"""
