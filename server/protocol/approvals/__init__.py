"""The protocol rules of approval requests.

Owns: pure functions of values.
Never: I/O, the clock, randomness.
"""
