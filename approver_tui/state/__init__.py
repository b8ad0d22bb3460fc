"""The data of the terminal app, as frozen values.

Owns: approvals, the inbox, devices, the connection and the possible answers.
Never: a clock, a socket, a file, a screen; every function here is pure.
"""
