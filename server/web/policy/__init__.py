"""Policy and action types in the console.

Owns: the rows of these pages and forms.
Never: business rules; the API has them.
"""
