"""The rules of the specifications for devices.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
