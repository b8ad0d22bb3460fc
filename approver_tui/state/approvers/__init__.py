"""What the app knows about who may answer for whom, as frozen values.

Owns: values, and the pure rules about them.
Never: a terminal, a network, a file.
"""
