"""Widgets and lines of reports.

Owns: showing state.
Never: a call to the server.
"""
