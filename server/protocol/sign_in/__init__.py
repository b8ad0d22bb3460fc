"""The rules of the specifications for signing in to apps.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
