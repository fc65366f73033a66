"""Files that declare something, as bytes, to typed models."""
