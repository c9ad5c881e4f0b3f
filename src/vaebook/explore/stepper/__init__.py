"""EM on points in the plane, half-step by half-step."""

from vaebook.explore.stepper.explorer import EmStepper

__all__ = ["EmStepper"]
