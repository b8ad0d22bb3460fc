"""Policy and action types in the console.

Owns: the rows of these pages and forms.
Never: a rule; the API decides.
"""
