"""Commands beside the hooks, one a module: `run(root, argv) -> exit code` and a one-line `SUMMARY`."""
