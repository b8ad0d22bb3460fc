"""The rules of the specifications for agents and apps.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
