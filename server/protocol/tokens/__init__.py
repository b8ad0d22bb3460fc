"""The rules of the specifications for tokens.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
