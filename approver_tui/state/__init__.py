"""The data of the terminal app, as frozen values.

Owns: approvals, the inbox, devices, the connection and the possible answers.
Never: clocks, sockets, files, screens; every function here is pure.
"""
