"""Outcomes to text, one format a module."""
