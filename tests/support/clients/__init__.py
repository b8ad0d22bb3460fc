"""Programs that call a server, and drivers of the terminal app."""
