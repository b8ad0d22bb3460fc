"""Screens and panels for settings and checks of this machine.

Owns: state, messages, calls to the client.
Never: business rules, which the server applies.
"""
