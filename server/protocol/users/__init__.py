"""The rules of the specifications for users.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
