"""The rules of CIBA.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
