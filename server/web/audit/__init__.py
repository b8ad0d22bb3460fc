"""The audit log in the console.

Owns: these pages and forms, as rows.
Never: changes it.
"""
