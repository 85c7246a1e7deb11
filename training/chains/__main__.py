"""Makes `python -m training.chains` run the command line."""

from training.chains.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
