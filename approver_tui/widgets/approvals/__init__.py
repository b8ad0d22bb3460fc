"""Widgets and lines for approval requests.

Owns: showing state.
Never: calling the server.
"""
