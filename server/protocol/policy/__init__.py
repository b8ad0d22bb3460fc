"""Risks, action types, and the questions that a policy engine answers.

Owns: pure functions.
Never: I/O, clocks, randomness.
"""
