"""Use cases of consents.

Owns: giving, revoking and showing them.
Never: a standing grant (`standing_grants`).
"""
