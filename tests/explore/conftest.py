"""The fixture that puts explorers on a page of their own."""

import pytest
from browser.page import LIVE, write_page


@pytest.fixture
def show(tmp_path, page_factory):
    """``show(widget, ..., width=1280)`` -> a Visit of a page with them, live."""

    def visit(*widgets, live=True, **options):
        visited = page_factory(**options)
        visited.page.goto(write_page(tmp_path, *widgets).as_uri())
        if live:
            visited.page.wait_for_selector(LIVE)
        return visited

    return visit
