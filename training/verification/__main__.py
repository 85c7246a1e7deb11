"""Makes `python -m training.verification` run the command line."""

from training.verification.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
