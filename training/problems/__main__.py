"""Makes `python -m training.problems` run the command line."""

from training.problems.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
