"""`python -m gatepost`."""

from gatepost.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
