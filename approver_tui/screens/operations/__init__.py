"""The screens and panels for settings and checks of this machine.

Owns: screens: own state, messages, calls to the client.
Never: a rule of the server.
"""
