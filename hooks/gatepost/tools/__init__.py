"""The tools of others (ruff, mypy, bandit, detect-secrets), run with the shared config."""
