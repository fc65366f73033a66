"""Pages of TS501-TS510: PyTorch in images, CI and READMEs. Frequencies: 225 public AI/ML repositories, 2026."""

from __future__ import annotations

from gatepost.model import ERROR, INFO, WARNING, Code

_CPU = "--index-url https://download.pytorch.org/whl/cpu"
CONTAINERS: tuple[Code, ...] = (
    Code(
        id="TS501",
        name="cuda-in-cpu-image",
        severity=WARNING,
        summary="An image without CUDA, or a file named for the CPU, takes torch from the default index: the CUDA build.",
        why="On Linux x86_64 the default wheel of torch brings 2-5 GB of CUDA libraries, also when torch only comes with "
        "sentence-transformers, ultralytics, accelerate and the like. 19 of 32 CPU images with torch (59 %) do this; "
        "teams report images shrinking from 9.4 to 2.9 GB. Silent when anything says that a GPU is meant: the image's "
        "name, NVIDIA_* variables, a GPU in compose or Kubernetes, `--gpus`, CUDA-only packages, a CUDA build tag, "
        "a devcontainer with a GPU. Silent, too, where a word of the command is not known, where uv's own settings name "
        "the index or backend of `uv pip`, and where a marker leaves out the image's Python. "
        "Information where a comment says what to change for a GPU, where the code may use one in the same image "
        "(ENABLE_CUDA, a device whose default is cuda), and "
        "for a file of a tool that is for Windows alone.",
        bad="FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt  # sentence-transformers\n",
        good=f"FROM python:3.12-slim\nCOPY requirements.txt .\nRUN pip install torch {_CPU}\nRUN pip install -r requirements.txt\n",
        fix="Install torch from the CPU index first, or route it to an explicit CPU index in the project and lock again. "
        "--fix adds the install where pip is already there, and the index to a requirements file that pins torch.",
        certainty="heuristic",
        safe_fix=True,
    ),
    Code(
        id="TS502",
        name="cpu-override-lost",
        severity=ERROR,
        summary="An install of a chosen build of torch in an image changes nothing, or a later command undoes it.",
        why="pip and `uv pip` leave an installed torch that satisfies the request; `uv sync` and `poetry install` restore the "
        "locked build (tested with uv 0.13, Poetry 2.5). The image still carries CUDA. A torch for one CUDA goes in the same "
        "way, where the requirements ask for a release that its index never got: they take PyPI's.",
        bad=f"RUN uv sync --frozen\nRUN uv pip install torch {_CPU}\n",
        good='# pyproject.toml: [tool.uv.sources] torch = { index = "pytorch-cpu" }\nRUN uv sync --frozen\n',
        fix="Route torch in the project and lock again, or put the CPU install first.",
    ),
    Code(
        id="TS503",
        name="base-cuda-differs",
        severity=INFO,
        summary="The base image's CUDA is not the CUDA of the wheels that are installed on it.",
        why="The wheels bring their own CUDA runtime, so this usually works: the driver decides. But the base image's "
        "libraries are then dead weight, and what is compiled in the image links against the other version.",
        bad="FROM nvidia/cuda:11.8.0-runtime-ubuntu22.04\nRUN pip install torch --index-url https://download.pytorch.org/whl/cu121\n",
        good="FROM nvidia/cuda:12.1.1-runtime-ubuntu22.04\nRUN pip install torch --index-url https://download.pytorch.org/whl/cu121\n",
        fix="Use the base image of that CUDA version, or one without CUDA.",
        certainty="heuristic",
    ),
    Code(
        id="TS504",
        name="framework-image-replaced",
        severity=WARNING,
        summary="An image that already holds torch gets another one.",
        why="The first torch stays in the layers below, the second may not match the image's other libraries: several GB, and "
        "the reason for the base image is gone.",
        bad="FROM pytorch/pytorch:2.0.0-cuda11.7-cudnn8-runtime\nRUN pip install torch==2.3.1\n",
        good="FROM python:3.11-slim\nRUN pip install torch==2.3.1\n",
        fix="Start from an image without torch, or do not install it.",
        certainty="heuristic",
    ),
    Code(
        id="TS505",
        name="container-pin-contradicts",
        severity=ERROR,
        summary="A Dockerfile or CI step pins a torch that the requirements it also installs rule out.",
        why="The later command replaces the earlier one's torch, so one of the two lines is not true.",
        bad="RUN pip install torch==2.1.0\nRUN pip install -r requirements.txt  # torch>=2.4\n",
        good="RUN pip install -r requirements.txt  # torch>=2.4\n",
        fix="Name the version once.",
    ),
    Code(
        id="TS506",
        name="torch-after-dependents",
        severity=WARNING,
        summary="The CPU build is installed after packages that have already brought the CUDA build.",
        why="The CUDA wheels are downloaded and stay in the lower layer; the replacement only adds to the image.",
        bad=f"RUN pip install sentence-transformers\nRUN pip install --force-reinstall torch {_CPU}\n",
        good=f"RUN pip install torch {_CPU}\nRUN pip install sentence-transformers\n",
        fix="Install torch first.",
        certainty="heuristic",
    ),
    Code(
        id="TS507",
        name="gpu-build-on-cpu-runner",
        severity=WARNING,
        summary="A CI job on a hosted runner without a GPU installs a CUDA build.",
        why="Gigabytes are downloaded in every run, and hosted runners run out of disk.",
        bad="runs-on: ubuntu-latest\nsteps:\n  - run: pip install torch --index-url https://download.pytorch.org/whl/cu121\n",
        good=f"runs-on: ubuntu-latest\nsteps:\n  - run: pip install torch {_CPU}\n",
        fix="Use the CPU index in that job.",
        certainty="heuristic",
    ),
    Code(
        id="TS508",
        name="readme-differs",
        severity=INFO,
        summary="The README's install line pins a torch that the manifest beside it rules out.",
        why="Who follows the README gets another torch than who installs the requirements.",
        bad="README.md: pip install torch==2.1.0\nrequirements.txt: torch>=2.4\n",
        good="README.md: pip install -r requirements.txt\n",
        fix="Say the same in both.",
    ),
    Code(
        id="TS509",
        name="source-only-in-environment",
        severity=WARNING,
        summary="Only an environment variable of the image says where torch comes from, or one that has no effect; or the building machine does.",
        why="UV_TORCH_BACKEND is read by `uv pip` only: `uv sync` and `uv lock` ignore it without a word (tested, uv 0.13). "
        "Index variables do work, but outside the image the project installs another build: reported as information. "
        "uv's backend `auto` takes the build for the machine that builds the image: a warning where that is meant for a GPU.",
        bad="ENV UV_TORCH_BACKEND=cpu\nRUN uv sync --locked\n",
        good='# pyproject.toml: [tool.uv.sources] torch = { index = "pytorch-cpu" }\nRUN uv sync --locked\n',
        fix="Route torch in the project's own files.",
    ),
    Code(
        id="TS510",
        name="torch-index-unset",
        severity=INFO,
        summary="The index of torch is a build argument that has no default.",
        why="A build without `--build-arg` passes an empty index, and what is then installed depends on the tool.",
        bad='ARG TORCH_INDEX\nRUN pip install torch --index-url "$TORCH_INDEX"\n',
        good=f'ARG TORCH_INDEX={_CPU.split()[1]}\nRUN pip install torch --index-url "$TORCH_INDEX"\n',
        fix="Give the ARG a default.",
    ),
)
