"""`python -m basemodels`."""

import sys

from basemodels.cli import main

sys.exit(main())
