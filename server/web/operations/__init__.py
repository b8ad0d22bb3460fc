"""The installation in the console, and a person's own settings.

Owns: these pages and forms, as rows.
Never: what a setting means; the API says that.
"""
