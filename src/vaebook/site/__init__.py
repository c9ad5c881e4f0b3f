"""The Sphinx extension that turns the chapters into the site; one job a file.

``_config.yml`` lists it as ``vaebook.site``. No chapter's module imports it.
"""

from sphinx.application import Sphinx

from vaebook.site import (
    accessibility,
    alt_text,
    assets,
    checkmarks,
    claims_table,
    downloads,
    execution,
    freshness,
    mathematics,
    metadata,
    numbering,
    pictures,
    pruning,
    styles,
    values,
    widgets,
)

JOBS = (
    freshness,
    execution,
    values,
    metadata,
    numbering,
    alt_text,
    accessibility,
    checkmarks,
    claims_table,
    mathematics,
    widgets,
    assets,
    pruning,
    styles,
    pictures,
    downloads,
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect every job to the events it answers, in the order given above."""
    for job in JOBS:
        job.connect(app)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
