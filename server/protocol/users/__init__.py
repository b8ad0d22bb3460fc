"""The rules of the specifications for users.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
