"""gatepost: offline pre-commit hooks and shared configs for Python AI/ML projects."""

__version__ = "0.1.0"
