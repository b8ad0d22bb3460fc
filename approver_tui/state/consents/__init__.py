"""Consents, as frozen values.

Owns: the values and the pure rules about them.
Never: terminal, network or file access.
"""
