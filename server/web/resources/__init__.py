"""Resources in the console.

Owns: these pages and forms, as rows.
Never: a rule about them; the API has those.
"""
