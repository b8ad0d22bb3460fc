"""What the terminal app knows, as frozen values.

Owns: approvals, the inbox, devices, the connection and the answers a person can give.
Never: a clock, a socket, a file, a screen; every function here is pure.
"""
