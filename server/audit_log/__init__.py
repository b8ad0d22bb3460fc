"""The log's arithmetic: canonical bytes of an entry and its leaf hash (RFC 6962 2.1).

Owns: how an entry becomes bytes and how bytes become a leaf; later the tree and its verifier.
Never: rows, keys, names of the product. It knows nobody; an auditor can read it alone.
"""
