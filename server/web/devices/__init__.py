"""Devices: enrolling one, a person's own, everybody's in the console.

Owns: these pages and forms, as rows.
Never: lets one in; the API's rows do.
"""
