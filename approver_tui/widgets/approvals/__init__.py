"""Widgets and lines of approval requests.

Owns: showing state.
Never: calls to the server.
"""
