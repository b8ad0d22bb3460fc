"""Risks, action types, and the questions that a policy engine answers.

Owns: pure functions of values.
Never: I/O, the clock, randomness.
"""
