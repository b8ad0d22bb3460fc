"""Widgets and lines of approval requests.

Owns: showing state.
Never: a call to the server.
"""
