"""The rules of the specifications for standing grants.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
