"""``python -m liescope``."""

import sys

from liescope.cli import main

if __name__ == "__main__":
    sys.exit(main())
