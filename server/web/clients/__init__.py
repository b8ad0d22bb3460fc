"""Pages about agents and apps.

Owns: these pages and forms, as rows.
Never: access rules; the API's routes have them.
"""
