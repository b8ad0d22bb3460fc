"""Agents and apps, as frozen values.

Owns: the values and the pure rules about them.
Never: a terminal, a network, a file.
"""
