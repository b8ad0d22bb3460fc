"""Console pages about resources.

Owns: these pages and forms, as rows.
Never: business rules; the API has them.
"""
