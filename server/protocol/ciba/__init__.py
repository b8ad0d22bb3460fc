"""The rules of the specifications for the agent's CIBA request.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
