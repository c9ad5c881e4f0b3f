"""Where points of the latents lie in a pad."""

import numpy as np


def in_pad(pads, k, points):
    """Points of a model's latents as fractions of its pad."""
    low, high = np.array(pads.frames[k]).T
    return (np.asarray(points) - low) / (high - low)
