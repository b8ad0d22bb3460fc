"""Screens and panels for agents and apps.

Owns: state, messages, calls to the client.
Never: business rules, which the server applies.
"""
