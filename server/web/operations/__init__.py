"""The console pages about the installation, and the page of a person's own settings.

Owns: these pages and forms.
Never: business rules; the API has them.
"""
