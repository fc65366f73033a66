"""Read-only views of a repository; the only package that starts git."""
