"""Consents: those of a person, and everybody's in the console.

Owns: these pages and forms, as rows.
Never: gives one; that is an approval.
"""
