"""The rules of standing grants.

Owns: pure functions of values.
Never: I/O, the clock, randomness.
"""
