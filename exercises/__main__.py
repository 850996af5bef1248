"""`python -m exercises`: see `exercises.commands`."""

import sys

from exercises.commands import main

if __name__ == "__main__":
    sys.exit(main())
