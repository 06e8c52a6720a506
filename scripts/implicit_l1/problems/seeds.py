"""Random generators named by what they draw, never by a position in a list.

A stream is identified by axis names and values (the ensemble, N, d, a repetition,
...), so adding a value, an ensemble or repetitions leaves every other draw as it was.
"""

import hashlib
import json
from typing import Any

import numpy as np


# in quotes: to name numpy.random loads it, which programs that draw nothing need not wait for
def generator(**axes: Any) -> "np.random.Generator":
    """The generator of the stream that these axes name.

    Args:
        axes: names and values (strings, integers or floats); their order is
            irrelevant, and 1 and 1.0 name the same stream.
    """
    plain = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in axes.items()
    }
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words.tolist())))
