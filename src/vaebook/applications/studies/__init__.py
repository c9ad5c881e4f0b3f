"""The long runs of chapter 12, one of its parts a module."""
