"""The rules of OpenID Connect sign-in.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
