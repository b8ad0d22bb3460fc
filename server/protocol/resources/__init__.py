"""The rules of the specifications for resources.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
