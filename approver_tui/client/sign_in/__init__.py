"""The client for signing in.

Owns: calls to the server, reading its answers.
Never: terminal access.
"""
