"""The pages to enroll a device, of a person's own devices, and of all devices in the console.

Owns: these pages and forms, as rows.
Never: access rules; the API's routes have them.
"""
