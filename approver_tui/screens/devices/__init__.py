"""Screens and panels for devices.

Owns: state, messages, calls to the client.
Never: a rule of the server.
"""
