"""Pages to enroll a device, about a person's own devices, and about all in the console.

Owns: these pages and forms, as rows.
Never: access rules; the API's routes have them.
"""
