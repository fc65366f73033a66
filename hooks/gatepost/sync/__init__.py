"""Config sync: desired state, plan, lossless edits."""
