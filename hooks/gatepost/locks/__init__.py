"""Lock file formats, one a module."""
