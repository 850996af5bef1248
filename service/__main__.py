"""`python -m service`: see `service.cli.commands`."""

from service.cli.commands import main

if __name__ == "__main__":
    main()
