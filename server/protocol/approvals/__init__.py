"""The protocol rules of approval requests.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
