"""One reader per tool: bytes to the normalised model, and that tool's resolver semantics as data."""
