"""The fields of the console's forms: what there is to fill in for agents, apps and people.

Owns: the tables of fields.
Never: a rule; the API has those, and names the member that breaks one.
"""
