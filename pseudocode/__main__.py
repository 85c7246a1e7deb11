"""`python -m pseudocode`."""

import sys

from pseudocode.cli import main

sys.exit(main())
