"""Makes `python -m training.lineage` run the command line."""

from training.lineage.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
