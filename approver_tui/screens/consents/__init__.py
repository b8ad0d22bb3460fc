"""Screens and panels for consents.

Owns: state, messages, calls to the client.
Never: business rules, which the server applies.
"""
