r"""The ranges of axes and sliders: their round ends."""

import math


def round_step(width: float, count: int) -> float:
    """The least of 1, 2, 5 times a power of ten that covers width in count steps."""
    power = 10.0 ** math.floor(math.log10(width / count))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= 0.999 * width / count)


def round_up(value: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= 0.999 * value)
