"""The pages of deputies and groups.

Owns: the rows of these pages and forms.
Never: who is eligible; the API decides that.
"""
