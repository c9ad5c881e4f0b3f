"""Restoration: a digit of which parts were measured, and the images that fit."""

from vaebook.explore.restoration.explorer import RestorationExplorer

__all__ = ["RestorationExplorer"]
