"""Packages and images that bring PyTorch, and packages that only make sense with a GPU.

`CARRIERS` holds packages whose own metadata requires torch without an extra, on the registry, 2024-2026;
`CARRYING_EXTRAS` those that do so with an extra.
"""

from __future__ import annotations

from gatepost.patterns import pattern

CARRIERS = frozenset(
    {
        "accelerate", "auto-gptq", "bert-score", "bertopic", "bitsandbytes", "botorch", "captum", "clip-anytorch",
        "coqui-tts", "demucs", "detoxify", "docling", "docling-ibm-models", "easyocr", "facenet-pytorch",
        "fastai", "flagembedding", "flair", "gliner", "gpytorch", "keybert", "kornia", "lightning",
        "marker-pdf", "monai", "nougat-ocr", "open-clip-torch", "openai-whisper", "peft", "pyannote-audio",
        "pytorch-forecasting", "pytorch-lightning", "pytorch-metric-learning", "pytorch-tabnet", "resemblyzer", "rfdetr", "sentence-transformers",
        "setfit", "span-marker", "speechbrain", "stable-baselines3", "stanza", "surya-ocr",
        "texify", "timm", "torch-fidelity", "torchmetrics", "torchvision", "torchaudio", "tts", "ultralytics",
        "ultralytics-thop", "unstructured-inference", "whisperx", "xformers", "yolov5",
    }
)  # fmt: skip
# Which of them require a companion as well: resolved with uv 0.13.8 or read in their metadata, 2026.
COMPANIONS = {
    "torchvision": frozenset(
        {
            "clip-anytorch", "docling", "docling-ibm-models", "easyocr", "facenet-pytorch", "fastai", "open-clip-torch",
            "python-doctr", "rfdetr", "timm", "torch-fidelity", "ultralytics", "unstructured-inference", "whisperx", "yolov5",
        }
    ),
    "torchaudio": frozenset({"demucs", "pyannote-audio", "speechbrain", "tts", "whisperx"}),
}  # fmt: skip
# Which of them hold the family to a range that leaves the newest out: from which release on, up to the newest that is
# known, and what these require. Read in their metadata, November 2026.
HOLDING = {
    "whisperx": ("3.7.4", "3.8.6", {"torch": "~=2.8.0", "torchaudio": "~=2.8.0", "torchvision": "~=0.23.0"}),
    "facenet-pytorch": ("2.6.0", "2.6.0", {"torch": ">=2.2.0,<2.3.0", "torchvision": ">=0.17.0,<0.18.0"}),
}
# The first release of a carrier that leaves torch to its user.
CARRIED_UNTIL = {"coqui-tts": "0.28.0"}
CARRYING_EXTRAS = {
    "transformers": frozenset(
        {"torch", "torch-vision", "torch-speech", "all", "dev", "accelerate", "agents", "sentencepiece-torch"}
    ),
    "diffusers": frozenset({"torch", "training"}),
    "optimum": frozenset({"onnxruntime-gpu"}),
    "farm-haystack": frozenset({"inference", "all", "all-gpu"}),
    "unstructured": frozenset({"local-inference", "all-docs", "pdf", "image"}),
    "python-doctr": frozenset({"torch"}),
    "datasets": frozenset({"torch"}),
    "safetensors": frozenset({"torch"}),
    "spacy": frozenset({"transformers"}),
    "u8darts": frozenset({"torch", "all"}),
    "darts": frozenset({"torch", "all"}),
}
# Packages that are of no use without a CUDA device: who installs them means a GPU.
GPU_ONLY = frozenset(
    {
        "auto-gptq", "autoawq", "bitsandbytes", "causal-conv1d", "cuda-python", "cupy", "cupy-cuda11x", "cupy-cuda12x",
        "cudf-cu12", "cuml-cu12", "deepspeed", "exllamav2", "faiss-gpu", "faiss-gpu-cu12", "flash-attn", "flashinfer-python",
        "lmdeploy", "mamba-ssm", "nvidia-ml-py3", "onnxruntime-gpu", "optimum-quanto-gpu", "paddlepaddle-gpu", "pynvml",
        "sglang", "tensorrt", "tensorrt-llm", "torch-tensorrt", "transformer-engine", "triton", "unsloth", "vllm", "xformers",
        "runpod", "gptqmodel", "liger-kernel", "apex", "nvidia-dali-cuda120", "tensorflow-gpu",
    }
)  # fmt: skip

# PyTorch's own images, and the "deep learning containers" of AWS: their tags begin with torch's version.
OFFICIAL_IMAGE = pattern(r"(?:^|/)pytorch/pytorch:(\d+\.\d+(?:\.\d+)?)")
AWS_IMAGE = pattern(
    r"(?:^|/)(?:huggingface-)?pytorch-(?:training|inference)(?:-arm64|-graviton)?:(\d+\.\d+\.\d+)-(?:transformers[\d.]+-)?(?:cpu|gpu)-"
)
