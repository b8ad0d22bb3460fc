"""The pages of standing grants: the lists, and the proposal of a new one.

Owns: the rows of these pages and forms.
Never: creating one; that requires an approval.
"""
