"""Screens and panels for standing grants.

Owns: state, messages, calls to the client.
Never: a rule of the server.
"""
