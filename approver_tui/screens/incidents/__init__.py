"""Screens and panels for reports.

Owns: state, messages, calls to the client.
Never: business rules, which the server applies.
"""
