"""Still pictures are drawn like the page."""

from vaebook.explore import LatentExplorer
from vaebook.figures import CLASS_COLOURS


def test_stills_and_page_colour_classes_alike():
    for k, colour in enumerate(CLASS_COLOURS):
        assert f"--vb-class-{k}: light-dark({colour}, " in LatentExplorer._css
