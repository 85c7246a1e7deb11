"""`python -m service`; `doctor` starts without the rest, whose packages may be what is missing."""

import sys

if sys.argv[1:2] == ["doctor"]:
    from service.doctor.cli import main

    sys.exit(main(sys.argv[2:]))

from service.cli import main as serve

sys.exit(serve())
