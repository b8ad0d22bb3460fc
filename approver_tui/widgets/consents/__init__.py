"""Widgets and lines of consents.

Owns: showing state.
Never: a call to the server.
"""
