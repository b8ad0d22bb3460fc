"""The rules of the specifications for policy.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
