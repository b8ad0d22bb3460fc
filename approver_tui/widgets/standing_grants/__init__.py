"""Widgets and lines of standing grants.

Owns: showing state.
Never: a call to the server.
"""
