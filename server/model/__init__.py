"""THE RECORDS: frozen dataclasses, one file per capability.

Owns: the records, and the names of the store.
Never: business rules, SQL, wire formats.
"""
