"""Widgets and lines for consents.

Owns: showing state.
Never: calling the server.
"""
