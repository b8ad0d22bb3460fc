"""The encoding of audit entries: canonical bytes and leaf hash (RFC 6962 2.1).

Owns: the bytes of an entry and their leaf hash.
Never: rows, keys or names of the product. Auditors can read it alone: it imports no other part.
"""
