"""Widgets and lines for notifications.

Owns: showing state.
Never: calling the server.
"""
