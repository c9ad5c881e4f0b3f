"""The variance race of two gradient estimators."""

from vaebook.explore.gradient_race.explorer import GradientRace

__all__ = ["GradientRace"]
