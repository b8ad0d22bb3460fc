"""Agents and apps: those that act for a person, and their administration.

Owns: these pages and forms, as rows.
Never: who may know or do something to one; the API's rows say that.
"""
