"""The installation in the console, and a person's own settings.

Owns: these pages and forms.
Never: business rules; the API has them.
"""
