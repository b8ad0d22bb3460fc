"""Use cases of users.

Owns: accounts, roles, passwords, enrollment codes and device authentication.
Never: their devices (`devices`).
"""
