"""Screens and panels for notifications.

Owns: state, messages, calls to the client.
Never: a rule of the server.
"""
