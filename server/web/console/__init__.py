"""The fields of the console's forms for agents, apps, resources and people.

Owns: the tables of fields.
Never: a rule; the API has those, and names the invalid member.
"""
