"""The fields of the console's forms for agents, apps, resources and people.

Owns: the tables of fields.
Never: business rules; the API has them, and names the invalid member.
"""
