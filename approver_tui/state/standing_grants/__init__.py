"""What the app knows about standing grants, as frozen values.

Owns: values, and the pure rules about them.
Never: a terminal, a network, a file.
"""
