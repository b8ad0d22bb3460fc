"""The console pages about policy and action types.

Owns: the rows of these pages and forms.
Never: business rules; the API has them.
"""
