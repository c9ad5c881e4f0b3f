"""A race of samplers towards log p(x)."""

from vaebook.explore.sampler_race.explorer import SamplerRace

__all__ = ["SamplerRace"]
