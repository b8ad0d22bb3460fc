"""Screens and panels for standing grants.

Owns: state, messages, calls to the client.
Never: business rules, which the server applies.
"""
