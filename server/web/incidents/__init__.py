"""The pages of reports and incidents.

Owns: the rows of these pages and forms.
Never: what a report does; the API decides that.
"""
