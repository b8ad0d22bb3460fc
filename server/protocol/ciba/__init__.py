"""The rules of CIBA.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
