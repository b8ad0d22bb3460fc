"""What the app knows about reports, as frozen values.

Owns: values, and the pure rules about them.
Never: a terminal, a network, a file.
"""
