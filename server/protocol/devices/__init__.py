"""The rules of the specifications for devices.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
