"""Which build of PyTorch an install command brings onto linux x86_64, as far as files can tell."""
