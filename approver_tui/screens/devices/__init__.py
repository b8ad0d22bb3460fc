"""Screens and panels for devices.

Owns: state, messages, calls to the client.
Never: business rules, which the server applies.
"""
