"""What a reader can take home: each chapter's notebook, and the whole book as a zip."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from vaebook.site import values

ZIP = "_downloads/from-likelihood-to-latent-space.zip"
CODE = ("README.md", "LICENSE", "LICENSE-text", "pyproject.toml", "requirements.txt")
EPOCH = (1980, 1, 1, 0, 0, 0)


class OfflineCopy(SphinxRole):
    """``{offline-copy}`` followed by the words of the link, in backquotes."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        up = "../" * self.env.docname.count("/")
        link = nodes.reference("", self.text, refuri=up + ZIP, internal=True)
        return [link], []


def connect(app: Sphinx) -> None:
    app.add_role("offline-copy", OfflineCopy())
    app.connect("html-page-context", _offer, priority=400)
    app.connect("build-finished", _write_zip, priority=900)


def notebook(path: Path, known: Mapping[str, str]) -> str:
    """Text of an executed notebook with the values that its text asks for.

    What only the site's build needs is left out.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    values.put_into_cells(content["cells"], known)
    for cell in content["cells"]:
        cell["metadata"].pop("execution", None)
        if "remove-stdout" in cell["metadata"].get("tags", []):  # progress bars
            cell["outputs"] = [o for o in cell["outputs"] if o.get("name") != "stdout"]
        for output in cell.get("outputs", []):
            for shown in output.get("metadata", {}).values():
                if isinstance(shown, dict):
                    shown.pop("forms", None)  # of a figure, for the pages alone
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _executed(app: Sphinx, docname: str) -> Path | None:
    """The notebook that myst-nb wrote for a page, if the page is one."""
    path = Path(app.outdir).parent / "jupyter_execute" / f"{docname}.ipynb"
    is_notebook = "kernelspec" in app.env.metadata.get(docname, {})
    return path if is_notebook and path.exists() else None


def _offer(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict,
    doctree: nodes.document | None,
) -> None:
    context["offline_copy"] = ZIP
    source = _executed(app, pagename)
    if source:
        context["ipynb_source"] = f"{pagename}.ipynb"
        target = Path(app.outdir, "_sources", context["ipynb_source"])
        target.parent.mkdir(parents=True, exist_ok=True)
        text = notebook(source, values.known(app.env, pagename))
        target.write_text(text, encoding="utf-8")


def _write_zip(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.name != "html":
        return
    target = Path(app.outdir, ZIP)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    contents = sorted(_contents(app, target).items())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents:
            info = zipfile.ZipInfo(f"{target.stem}/{name}", EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)


def _contents(app: Sphinx, itself: Path) -> dict[str, bytes]:
    site, root = Path(app.outdir), Path(app.srcdir)
    found = {n: (root / n).read_bytes() for n in CODE if (root / n).exists()}
    found |= _folder(Path(__file__).parents[1], "src/vaebook")
    found |= _folder(site, "site")
    del found[f"site/{itself.relative_to(site).as_posix()}"]
    for docname in app.env.found_docs:
        if path := _executed(app, docname):
            known = values.known(app.env, docname)
            found[f"notebooks/{path.name}"] = notebook(path, known).encode()
    return found


def _folder(folder: Path, name: str) -> dict[str, bytes]:
    files = [p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc"]
    return {f"{name}/{p.relative_to(folder).as_posix()}": p.read_bytes() for p in files}
