"""Clients of a server, and drivers of the terminal app."""
