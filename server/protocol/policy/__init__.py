"""Risks, action types, and the question that policy answers.

Owns: pure functions of values.
Never: I/O, a clock, chance.
"""
