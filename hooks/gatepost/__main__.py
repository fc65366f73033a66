"""`python -m gatepost`."""

from gatepost.cli import entry

if __name__ == "__main__":
    entry()
