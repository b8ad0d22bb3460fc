"""THE RECORDS: frozen dataclasses, one file per capability.

Owns: the records, and the ports of the store.
Never: business rules, SQL, wire formats.
"""
