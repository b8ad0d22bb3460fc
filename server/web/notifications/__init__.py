"""The pages for mutes and quiet hours, and the page that explains how to install the web app.

Owns: these pages and forms.
Never: business rules; the API has them.
"""
