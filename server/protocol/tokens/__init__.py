"""The rules of the specifications for tokens.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
