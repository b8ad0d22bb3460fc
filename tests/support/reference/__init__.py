"""The pages of `docs/reference` that are made from the code: `scripts/reference`.

Owns: which pages there are, and how each is made. Never: a fact that the code does not have.
"""
