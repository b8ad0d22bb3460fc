"""Screens and panels for consents.

Owns: state, messages, calls to the client.
Never: a rule of the server.
"""
