"""WHAT LEAVES THE INSTALLATION: the outbox's worker and its channels.

Owns: leases, back-off, dead letters, and `egress.py`, the only door outward.
Never: decides that something should be sent; a unit of work did, by adding a row.
"""
