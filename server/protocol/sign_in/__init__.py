"""The rules of OpenID Connect sign-in.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
