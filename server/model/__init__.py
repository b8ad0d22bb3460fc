"""THE RECORDS: frozen dataclasses and storage contracts, one file per capability.

Owns: the records, and the protocols that storage implements.
Never: business rules, SQL, wire formats.
"""
