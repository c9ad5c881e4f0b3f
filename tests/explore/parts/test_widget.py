"""A widget and the picture beside it: in a notebook, on a page, without scripts."""

import threading

import pytest
from browser.page import write_page
from explore.made import make_frames, make_latent
from ipywidgets import VBox

from vaebook.explore.parts.widget import VIEW
from vaebook.site.serve import server


def test_a_notebook_gets_the_view_and_the_site_the_picture_beside_it():
    explorer = make_latent(2)
    data = explorer._repr_mimebundle_()[0]
    assert data[VIEW]["model_id"] == explorer.model_id
    assert explorer.model_id in data["text/html"]
    assert 'alt="Latent explorer, still picture: 447 test images' in data["text/html"]


@pytest.mark.browser
@pytest.mark.parametrize("served", [False, True])
def test_it_works_from_a_file_and_from_a_server(served, tmp_path, page_factory):
    page_file, visit = (
        write_page(tmp_path, make_latent(2), make_frames()),
        page_factory(),
    )
    if not served:
        visit.page.goto(page_file.as_uri())
        visit.page.wait_for_selector(".vb-frames")
    else:
        with server(tmp_path) as running:
            threading.Thread(target=running.serve_forever, daemon=True).start()
            visit.page.goto(f"http://127.0.0.1:{running.server_port}/page.html")
            visit.page.wait_for_selector(".vb-frames")
            running.shutdown()
    assert visit.page.locator(".vb-latent").count() == 1
    requests = {request.url.partition(":")[0] for request in visit.requests}
    assert requests <= (
        {"http", "blob", "data"} if served else {"file", "blob", "data"}
    )
    assert visit.problems == []


@pytest.mark.browser
def test_widgets_inside_a_box(show):
    visit = show(VBox([make_latent(2), make_frames()]))
    visit.page.wait_for_selector(".vb-frames")
    assert visit.page.locator(".vb-latent").count() == 1
    assert visit.problems == []


@pytest.mark.browser
def test_without_javascript_and_in_print_a_picture_stands_in(tmp_path, page_factory):
    address = write_page(tmp_path, make_latent(2)).as_uri()
    silent = page_factory(java_script_enabled=False).page
    silent.goto(address)
    assert silent.get_by_alt_text("Latent explorer, still picture").is_visible()
    live = page_factory().page
    live.goto(address)
    live.wait_for_selector(".vb")
    still = live.locator(".vb-still")
    live.wait_for_function("document.querySelector('.vb-still').hidden")
    assert not still.is_visible()
    live.emulate_media(media="print")
    assert still.is_visible() and not live.locator(".vb").is_visible()


@pytest.mark.browser
def test_a_widget_that_cannot_start_leaves_its_picture(tmp_path, page_factory):
    page_file, visit = write_page(tmp_path, make_latent(2)), page_factory()
    text = page_file.read_text("utf-8").replace("export default", "export const gone =")
    page_file.write_text(text, "utf-8")
    visit.page.goto(page_file.as_uri())
    visit.page.wait_for_event("console")
    assert visit.page.locator(".vb-still").is_visible()
    assert "did not start" in visit.problems[0]
