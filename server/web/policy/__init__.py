"""Policy and action types in the console.

Owns: these pages and forms, as rows.
Never: a rule; the API judges.
"""
