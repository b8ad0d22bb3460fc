"""The pages of consents, for users and in the console.

Owns: the rows of these pages and forms.
Never: giving one; that takes an approval.
"""
