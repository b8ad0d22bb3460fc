"""Checks and settings of this machine.

Owns: calls to the server, reading its answers, the settings file.
Never: terminal access.
"""
