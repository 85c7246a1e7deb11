"""Entry point of `python -m training.conversion`."""

import sys

from training.conversion.cli import main

if __name__ == "__main__":
    sys.exit(main())
