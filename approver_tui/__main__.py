"""`python -m approver_tui` is `sayso-approver`."""

from approver_tui.cli.main import main

if __name__ == "__main__":
    main()
