"""Widgets and lines of consents.

Owns: showing state.
Never: calls to the server.
"""
