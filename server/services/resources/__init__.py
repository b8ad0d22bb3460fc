"""Use cases of resources.

Owns: protected APIs, their scopes and secrets.
Never: action types (`policy`).
"""
