"""Reading TOML: data (`load`), positions (`scan`)."""
