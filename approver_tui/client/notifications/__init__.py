"""The client for notifications.

Owns: calls to the server, reading its answers.
Never: terminal access.
"""
