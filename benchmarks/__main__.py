"""`python -m benchmarks`."""

import signal
import sys

from benchmarks.cli import main

# Told to end, it ends as by Ctrl-C, and so do the processes that it has started.
signal.signal(signal.SIGTERM, signal.default_int_handler)
sys.exit(main())
