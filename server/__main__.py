"""`python -m server` is the `sayso` command."""

from server.cli.main import main

if __name__ == "__main__":
    main()
