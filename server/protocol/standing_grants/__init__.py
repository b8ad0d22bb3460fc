"""The rules of standing grants.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
