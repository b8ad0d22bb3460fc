"""Screens and panels for signing in.

Owns: state, messages, calls to the client.
Never: business rules, which the server applies.
"""
