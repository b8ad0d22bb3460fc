"""Screens and panels for approval requests.

Owns: state, messages, calls to the client.
Never: a rule of the server.
"""
