"""The client for devices.

Owns: calls to the server, reading its answers.
Never: terminal access.
"""
