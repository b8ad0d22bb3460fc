"""The rules of the specifications for requests for approval.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
