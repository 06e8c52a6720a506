"""What of a machine decides the last bits of a floating-point result."""

import os
import platform
import re
from pathlib import Path

# by which OpenBLAS, NumPy and the C library are told which instructions to use, whatever there are
KERNELS = (
    *("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES"),
    "GLIBC_TUNABLES",
)
CPUINFO = Path("/proc/cpuinfo")

# One thread a job: parallelism is between jobs, and two threads differ from one in the last
# bits.  No figure needs a screen.
JOB_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
}


def processor() -> str:
    """How many processors there are, and their name, as the system tells it."""
    models = _told("model name")
    return f"{len(models)} x {models[0]}" if models else platform.processor() or "unknown"


def machine() -> str:
    """System, C library, Python, processor and kernels: where all are the same, bytes are.

    With the same locked packages, that is, and one thread.  It tells nothing that names a machine.
    """
    # a model's name may stand for several generations: the vector instructions tell them apart
    flags = " ".join(_told("flags")[:1]).split()
    parts = [
        f"{platform.system()} {platform.machine()}",
        " ".join(platform.libc_ver()),
        f"Python {platform.python_version()}",
        processor().partition(" x ")[2] or platform.processor(),
        " ".join(sorted(flag for flag in flags if flag.startswith(("avx", "fma")))),
        *(f"{name}={os.environ[name]}" for name in KERNELS if os.environ.get(name)),
    ]
    return ", ".join(part for part in map(str.strip, parts) if part)


def _told(key):
    """What the system tells under a key, of each processor."""
    try:
        text = CPUINFO.read_text(encoding="utf-8")
    except OSError:
        return []
    return re.findall(rf"^{key}\s*: (.*)$", text, re.MULTILINE)
