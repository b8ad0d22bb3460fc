"""Console pages about users.

Owns: these pages and forms, as rows.
Never: a rule about them; the API has those.
"""
