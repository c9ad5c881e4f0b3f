"""Formulas final at first paint: typeset at build, each with its punctuation."""

from sphinx.application import Sphinx

from vaebook.site.mathematics import pages, punctuation


def connect(app: Sphinx) -> None:
    punctuation.connect(app)
    pages.connect(app)
