"""Screens and panels for consents.

Owns: state, messages, calls to the client.
Never: business rules; the server has them.
"""
