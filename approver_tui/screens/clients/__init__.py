"""Screens and panels for agents and apps.

Owns: state, messages, calls to the client.
Never: a rule of the server.
"""
