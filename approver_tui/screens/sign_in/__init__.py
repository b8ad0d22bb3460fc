"""Screens and panels for signing in.

Owns: state, messages, calls to the client.
Never: a rule of the server.
"""
