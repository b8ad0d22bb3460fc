"""The formats of the audit log and their verification: entries, checkpoints, proofs and receipts.

Owns: the bytes of the log, and checking them.
Never: rows, or the rest of the product: it imports no other part, so auditors can read it alone.
"""
