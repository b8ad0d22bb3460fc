"""The code that agents have to know before they may ask.

Owns: these pages and forms, as rows.
Never: the code itself, once it is set.
"""
