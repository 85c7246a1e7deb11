"""Makes `python -m training.novels` run the command line."""

from training.novels.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
