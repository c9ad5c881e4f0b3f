"""What an earlier build left in the site goes; what a page asks for stays."""

from types import SimpleNamespace

from vaebook.site import pruning


def test_only_what_a_page_asks_for_stays(tmp_path):
    page = (
        '<img src="../_images/wide.svg"><source srcset="../_images/narrow.webp">'
        '<script>{"state": "../_static/widgets/a1.js"}</script>'
    )
    kept = ("_images/wide.svg", "_images/narrow.webp", "_static/widgets/a1.js")
    left = ("_images/old.png", "_static/widgets/b2.js", "chapters/old.html")
    for name in (*kept, *left, "chapters/new.html", "_static/book.css"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page if name == "chapters/new.html" else "", encoding="utf-8")

    builder = SimpleNamespace(name="html", get_target_uri=lambda name: f"{name}.html")
    env = SimpleNamespace(found_docs={"chapters/new"})
    pruning._prune(SimpleNamespace(outdir=tmp_path, builder=builder, env=env), None)

    found = {
        path.relative_to(tmp_path).as_posix()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert found == {*kept, "chapters/new.html", "_static/book.css"}
