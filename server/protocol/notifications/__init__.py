"""The rules of the specifications for notifications.

Owns: pure functions of values.
Never: I/O, clocks, randomness.
"""
