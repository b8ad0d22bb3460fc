"""The screens and panels for devices.

Owns: screens: own state, messages, calls to the client.
Never: a rule of the server.
"""
