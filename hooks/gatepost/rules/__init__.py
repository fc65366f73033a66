"""The hooks of our own, one module or package each, named as its id."""
