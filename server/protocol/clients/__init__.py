"""The rules of the specifications for agents and apps.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
