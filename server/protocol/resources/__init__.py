"""The rules of the specifications for resources.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
