"""`python -m demo`, which `scripts/demo` runs once the environment stands."""

import sys

from demo.cli import main

sys.exit(main())
