"""Widgets and lines of reports.

Owns: showing state.
Never: calls to the server.
"""
