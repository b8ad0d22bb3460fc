"""Use cases of standing grants.

Owns: offering, giving, using and ending them.
Never: consents (`consents`).
"""
