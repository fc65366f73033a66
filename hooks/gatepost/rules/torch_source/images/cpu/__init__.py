"""TS501: an image for a CPU that takes a build of torch with CUDA."""
