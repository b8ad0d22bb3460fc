"""Screens and panels for reports.

Owns: state, messages, calls to the client.
Never: a rule of the server.
"""
