"""THE RECORDS: what is remembered, one file per capability.

Owns: frozen records, and what the rows of storage promise.
Never: a rule, SQL or a wire format.
"""
