"""The rules of the specifications for notifications.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
