"""Use cases of people.

Owns: accounts, roles, passwords, enrolment codes and the device authentication of their calls.
Never: their devices (`devices`).
"""
