"""Screens and panels for notifications.

Owns: state, messages, calls to the client.
Never: business rules, which the server applies.
"""
