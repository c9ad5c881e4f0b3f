"""The long runs of chapter 13, one of its parts a module."""
