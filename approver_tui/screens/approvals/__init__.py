"""Screens and panels for approval requests.

Owns: state, messages, calls to the client.
Never: business rules, which the server applies.
"""
