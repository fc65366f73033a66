"""PyTorch in images, CI and READMEs (TS501-TS510): a stage is walked in order, each install changes what is there.

TS501 is the fault seen most: a CPU image, torch in it, and nothing that says "CPU build", so that the default wheel
with its CUDA libraries is installed. It is silent wherever something says that a GPU is meant.
"""
