"""Widgets and lines of standing grants.

Owns: showing state.
Never: calls to the server.
"""
