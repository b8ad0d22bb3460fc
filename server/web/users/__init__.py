"""Console pages about users.

Owns: these pages and forms, as rows.
Never: business rules; the API has them.
"""
