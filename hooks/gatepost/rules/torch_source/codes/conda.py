"""Pages of TS601-TS607: conda and pixi."""

from __future__ import annotations

from gatepost.model import ERROR, WARNING, Code
from gatepost.rules.torch_source.codes._page import page

CONDA: tuple[Code, ...] = (
    page(
        "TS601",
        "ended-conda-channel",
        ERROR,
        "pytorch from the `pytorch` channel, which ended with 2.5.1.",
        "No fixes come from it (pytorch#138506). A warning for what it still has, an error for what it never got and for a range without an upper bound, which waits for what never comes, also where conda-forge stands behind: the first channel that has pytorch serves it (unless no later release is for the Python of the environment, or another package of it, such as `pytorch-cuda=11.7` or a pinned torchvision, goes with older ones only). A CI job may install an old release of it on purpose: nothing is said of what it still has.",
        "channels: [pytorch]\ndependencies: [pytorch]",
        "channels: [conda-forge]\ndependencies: [pytorch]",
        "Move to conda-forge or pip.",
    ),
    page(
        "TS602",
        "conda-and-pip",
        ERROR,
        "torch from conda and from pip in one environment.",
        "pip writes its build over conda's: two half packages in one folder. A warning where pip pins the very release that conda installs, which it leaves until one of the two pins is raised alone. Also through a file that the pip part names; pip's newest torchvision beside conda's pytorch is a warning, as it requires a torch of its own. In an image likewise, where conda installs torch and a later pip asks for one that it does not satisfy.",
        "- pytorch=2.5\n- pip:\n  - torch==2.6.0",
        "- pip:\n  - torch==2.6.0",
        "Remove one.",
    ),
    page(
        "TS603",
        "channel-mix",
        WARNING,
        "conda-forge stands before the channel whose builds are selected.",
        "conda-forge's pytorch comes, and `pytorch-cuda` or `cpuonly` selects nothing of it.",
        "channels: [conda-forge, pytorch, nvidia]\n- pytorch=2.3.1\n- pytorch-cuda=12.1",
        "- pytorch::pytorch=2.3.1",
        "Name the channel, or turn the order. Where the range admits what came after that channel's end, take conda-forge's own `pytorch-cpu` or `pytorch-gpu`.",
        certainty="heuristic",
    ),
    page(
        "TS604",
        "conda-build-not-published",
        ERROR,
        "A CUDA build that the channel never had.",
        "The solver fails, or takes the CPU build.",
        "- pytorch=1.11\n- cudatoolkit=11.1",
        "- pytorch=1.11\n- cudatoolkit=11.3",
        "Choose a build that the release has.",
    ),
    page(
        "TS605",
        "cuda-in-cpu-environment",
        WARNING,
        "A CUDA toolkit beside `cpuonly`, or in an environment whose name says cpu.",
        "Gigabytes that nothing uses.",
        "- cpuonly\n- cudatoolkit=11.8",
        "- cpuonly",
        "Remove the toolkit.",
        safe=True,
    ),
    page(
        "TS606",
        "cudatoolkit-selector",
        ERROR,
        "`cudatoolkit` where `pytorch-cuda` selects the build.",
        "cudatoolkit ends at 11.8, and from pytorch 1.13 it selects nothing: the CPU build comes.",
        "- pytorch=2.1\n- cudatoolkit=12.1",
        "- pytorch=2.1\n- pytorch-cuda=12.1",
        "Write `pytorch-cuda=`.",
        safe=True,
    ),
    page(
        "TS607",
        "pixi-without-cuda",
        WARNING,
        "pixi is not told that the system has CUDA.",
        "Without [system-requirements] cuda it takes the CPU build.",
        '[dependencies]\npytorch-gpu = "*"',
        '[system-requirements]\ncuda = "12"',
        "Add the table, then run `pixi lock`.",
        safe=True,
    ),
)
