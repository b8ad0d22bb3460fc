"""The pages of consents, for users and in the console.

Owns: the rows of these pages and forms.
Never: creating one; that requires an approval.
"""
