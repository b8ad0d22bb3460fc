"""The rules of the specifications for people.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
