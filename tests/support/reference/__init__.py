"""The pages of `docs/reference` that `scripts/reference` generates from the code.

Owns: the list of pages, and how each is generated. Never: a fact that the code does not have.
"""
