"""Use cases of consents.

Owns: giving, revoking and showing them.
Never: standing grants (`standing_grants`).
"""
