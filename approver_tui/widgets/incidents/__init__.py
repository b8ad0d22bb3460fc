"""Widgets and lines for reports.

Owns: showing state.
Never: calling the server.
"""
