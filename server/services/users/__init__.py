"""Use cases of people.

Owns: accounts, roles, passwords and the device authentication of their calls.
Never: their devices (`devices`).
"""
