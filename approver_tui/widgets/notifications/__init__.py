"""Widgets and lines of notifications.

Owns: showing state.
Never: a call to the server.
"""
