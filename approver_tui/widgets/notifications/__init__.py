"""Widgets and lines of notifications.

Owns: showing state.
Never: calls to the server.
"""
