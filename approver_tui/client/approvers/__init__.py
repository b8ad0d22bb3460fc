"""The client for deputies.

Owns: calls to the server, reading its answers.
Never: terminal access.
"""
