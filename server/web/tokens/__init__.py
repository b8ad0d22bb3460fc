"""Tokens in use and the keys that sign them.

Owns: these pages and forms, as rows.
Never: a token itself, or a key.
"""
