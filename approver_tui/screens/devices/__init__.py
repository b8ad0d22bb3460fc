"""Screens and panels for devices.

Owns: state, messages, calls to the client.
Never: business rules; the server has them.
"""
