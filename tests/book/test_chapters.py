"""Every chapter as a reader gets it: legible, described, sound in its references."""

import ast
import asyncio
import re
from pathlib import Path

import jupytext
import nbformat
import pytest
import yaml

from vaebook.site.claims import equations, prose
from vaebook.site.execution import opened_cache, run_alone

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "chapters"
FOLDER = {path.stem: path for path in sorted(PAGES.glob("*.md"))}
STEMS = [
    Path(file).name
    for file in re.findall(
        r"^[\s-]*(?:root|file):\s*(\S+)", (ROOT / "_toc.yml").read_text("utf-8"), re.M
    )
]
TEXTS = {stem: FOLDER[stem].read_text(encoding="utf-8") for stem in STEMS}
CELLS, WIDTH = 15, 76  # lines of a code cell, columns of a line


def code_cells(text):
    notebook = jupytext.reads(text, fmt="md:myst")
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


RUN = [stem for stem, text in TEXTS.items() if code_cells(text)]
each_page = pytest.mark.parametrize("stem", STEMS)


def test_every_page_of_the_folder_is_in_the_book():
    assert sorted(FOLDER) == sorted(STEMS)
    assert [path.name for path in PAGES.rglob("*.ipynb")] == []


# Code cells


def header_faults(text):
    """What a page with code cells lacks in its first lines."""
    start = re.match(r"---\n(.*?)\n---\n", text, re.S)
    header = yaml.safe_load(start[1]) if start else {}
    kernel = header.get("kernelspec", {}).get("name")
    form = header.get("jupytext", {}).get("text_representation", {}).get("format_name")
    wanted = {"kernelspec name": (kernel, "python3"), "format_name": (form, "myst")}
    return [f"{key}: {got}" for key, (got, want) in wanted.items() if got != want]


@pytest.mark.parametrize("stem", RUN)
def test_header_names_format_and_kernel(stem):
    assert header_faults(TEXTS[stem]) == []
    assert header_faults("# Title\n\n```{code-cell}\n1\n```\n")


HIDDEN = {"remove-cell", "remove-output"}


def cell_faults(text):
    """Cells that a page would cut off, or that nobody reads in one go."""
    faults = []
    for place, cell in enumerate(code_cells(text), 1):
        lines = cell.source.splitlines()
        if len(lines) > CELLS:
            faults.append(f"cell {place}: {len(lines)} lines")
        faults += [f"cell {place}: {line!r}" for line in lines if len(line) > WIDTH]
        faults += [f"cell {place}: stores outputs"] * bool(cell.outputs)
        hidden = HIDDEN & set(cell.metadata.get("tags", ()))
        if not hidden and ends_with_training(cell.source):
            faults.append(f"cell {place}: shows a history")
    return faults


def ends_with_training(code):
    """Whether a cell's last line trains a model, and so shows all of its epochs: a
    semicolon at its end keeps them back."""
    if code.rstrip().endswith(";"):
        return False
    last = ast.parse(code).body[-1:]
    values = [node.value for node in last if isinstance(node, ast.Expr)]
    calls = [value.func for value in values if isinstance(value, ast.Call)]
    names = {getattr(func, "attr", getattr(func, "id", "")) for func in calls}
    return "fit" in names


@each_page
def test_code_cells_are_short_and_narrow(stem):
    faults = cell_faults(TEXTS[stem])
    assert faults == [], faults
    assert "data:image" not in TEXTS[stem]


def in_cell(code, options=""):
    return f"# A page\n\n```{{code-cell}} ipython3\n{options}{code}\n```\n"


def test_cell_faults_are_found():
    assert cell_faults(in_cell("\n".join(["x = 1"] * 16))) == ["cell 1: 16 lines"]
    assert len(cell_faults(in_cell("x = " + "1" * 73))) == 1
    assert cell_faults(in_cell("\n".join(["x = " + "1" * 72] * 15))) == []
    assert cell_faults(in_cell("training.fit(x)")) == ["cell 1: shows a history"]
    assert cell_faults(in_cell("history = training.fit(x)")) == []
    assert cell_faults(in_cell("training.fit(x);")) == []


# Pictures


def draws(code):
    """Whether a cell's code shows a figure: calls of plt, ``fig``, ``draw_...``,
    and of what the bug clinic's page defines, ``glance``."""
    quiet = {"style", "rcParams", "rc_context", "close"}
    for node in ast.walk(ast.parse(code)):
        name = getattr(node, "id", "") or getattr(node, "attr", "")
        if name == "fig" or name.startswith("draw_"):
            return True
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "glance":
            return True
        owner = getattr(getattr(node, "value", None), "id", "")
        if isinstance(node, ast.Attribute) and owner == "plt" and name not in quiet:
            return True
    return False


def described(cell):
    """Whether a cell gives alt text: in its options, or to a function it calls."""
    words = cell.metadata.get("mystnb", {}).get("image", {}).get("alt") or ""
    given = [
        word.value
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "alt"
    ]
    blank = [isinstance(v, ast.Constant) and not str(v.value).strip() for v in given]
    return bool(words.strip()) or (bool(given) and not any(blank))


def without_code(line):
    """A line of prose without its inline code."""
    return re.sub(r"(?<!`)`[^`]+`(?!`)", "", line)


def undescribed_cells(text):
    cells = [cell for cell in code_cells(text) if draws(cell.source)]
    return [cell.source for cell in cells if not described(cell)]


def undescribed_images(text):
    """Images in prose without alt text, by their line."""
    lines = {number: without_code(line) for number, line in prose(text)}
    faults = []
    for number, line in lines.items():
        faults += [f"{number}: {found}" for found in re.findall(r"!\[\s*\]\S*", line)]
        if re.match(r"\s*[`:~]{3,}\{(figure|image)\}", line):
            options = options_below(lines, number)
            if not any(re.match(r"\s*:alt:\s*\S", option) for option in options):
                faults.append(f"{number}: {line.strip()}")
    whole = "\n".join(lines.values())
    tags = re.findall(r"<(?:img|svg)\b[^>]*>", whole)
    named = r"(alt|aria-label|aria-labelledby)\s*=\s*[\"']\s*[^\"'\s]|aria-hidden"
    return faults + [tag for tag in tags if not re.search(named, tag)]


def options_below(lines, number):
    """The ``:key: value`` lines below a directive."""
    while re.match(r"\s*:[\w-]+:", lines.get(number + 1, "")):
        number += 1
        yield lines[number]


@each_page
def test_every_figure_says_what_it_shows(stem):
    faults = undescribed_cells(TEXTS[stem])
    assert faults == [], faults
    faults = undescribed_images(TEXTS[stem])
    assert faults == [], faults


@pytest.mark.parametrize(
    ("code", "options", "right"),
    [
        ("plt.plot(x)", "", False),
        ("fig", "", False),
        ("figures.draw_digits(ax, x)", "", False),
        ("explore(draw_pad, z=(0, 1))", "", False),
        ("show(fig, alt=' ')", "", False),
        ("fig.savefig('x')", "---\nmystnb: {image: {alt: ' '}}\n---\n", False),
        ("plt.plot(x)", "---\nmystnb: {image: {alt: A line}}\n---\n", True),
        ("show(fig, alt='A line.')", "", True),
        ("import matplotlib.pyplot as plt\nplt.style.use('x')", "", True),
    ],
)
def test_a_drawing_cell_without_alt_text_is_found(code, options, right):
    assert bool(undescribed_cells(in_cell(code, options))) is not right


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("![](a.svg)", False),
        ("```{figure} a.svg\n:name: a\n\nCaption\n```", False),
        (":::{image} a.svg\n:alt:\n:::", False),
        ("<img src='a.svg'>", False),
        ("<svg viewBox='0 0 1 1'>", False),
        ("![A digit](a.svg)", True),
        ("```{figure} a.svg\n:name: a\n:alt: A digit\n```", True),
        ("<svg role='img' aria-labelledby='a'>", True),
        ("```md\n![](a.svg)\n```", True),
        ("Write `![](a.svg)`.", True),
    ],
)
def test_an_image_without_alt_text_is_found(text, right):
    assert bool(undescribed_images(text)) is not right


# Helpers stay in the library


def defined(code):
    """Names of the functions that code defines, at any depth."""
    tree = ast.walk(ast.parse(code))
    return {node.name for node in tree if isinstance(node, ast.FunctionDef)}


def library():
    """Names of the functions at the top of every module."""
    trees = [
        ast.parse(path.read_text(encoding="utf-8"))
        for path in (ROOT / "src" / "vaebook").rglob("*.py")
    ]
    bodies = [node for tree in trees for node in tree.body]
    return {node.name for node in bodies if isinstance(node, ast.FunctionDef)}


@each_page
def test_no_helper_is_typed_again(stem):
    cells = code_cells(TEXTS[stem])
    assert set().union(*(defined(cell.source) for cell in cells)) & library() == set()


def test_a_retyped_helper_is_found():
    assert {"gaussian_kl", "load_digits"} <= library()
    assert defined("class A:\n    def gaussian_kl(mu): ...") == {"gaussian_kl"}


# References

ROLE = re.compile(r"\{(eq|cite(?::\w+)?|ref|numref|doc)\}`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)")
CITED = re.compile(r"^@\w+\{\s*([^,\s]+)", re.M)
NAMED = re.compile(r"^\s*(?:\(([\w-]+)\)=|:name:\s*(\S+))\s*$", re.M)


def targets(pages, bib):
    """All that a page may refer to, by role; ``pages`` maps stems to texts."""
    names = {name for text in pages.values() for name in NAMED.findall(text)}
    labels = {first or second for first, second in names}
    labels |= set(re.findall(r"^\s*name: (\S+)$", "\n".join(pages.values()), re.M))
    return {"cite": set(CITED.findall(bib)), "ref": labels, "numref": labels}


def role_faults(text, known):
    """Roles whose target is not among ``known``."""
    faults = []
    for number, line in prose(text):
        for role, inside in ROLE.findall(line):
            target = re.sub(r"^.*<(.*)>$", r"\1", inside)
            kind = role.partition(":")[0]
            parts = target.split(",") if kind == "cite" else [target.removeprefix("./")]
            missing = {part.strip() for part in parts} - known[kind]
            faults += [f"{number}: {role} {name}" for name in sorted(missing)]
    return faults


def link_faults(text, folder):
    """Links to files that do not exist."""
    lines = [(n, without_code(line)) for n, line in prose(text)]
    found = [(n, target) for n, line in lines for target in LINK.findall(line)]
    local = [(n, to) for n, to in found if not re.match(r"[a-z]+:|#", to)]
    return [f"{n}: {to}" for n, to in local if not (folder / to.split("#")[0]).exists()]


KNOWN = targets(TEXTS, (PAGES / "references.bib").read_text(encoding="utf-8")) | {
    "eq": {one.label for one in equations(PAGES) if one.chapter in STEMS},
    "doc": set(STEMS),
}


@each_page
def test_references_and_links_lead_somewhere(stem):
    faults = role_faults(TEXTS[stem], KNOWN)
    assert faults == [], faults
    faults = link_faults(TEXTS[stem], PAGES)
    assert faults == [], faults


def test_lost_references_are_found(tmp_path):
    known = targets({"a": "(here)=\n# A\n"}, "@book{one,\n") | {
        "eq": set(),
        "doc": {"a"},
    }
    text = (
        "{cite:t}`one, two` {eq}`eq-a` {ref}`A <here>` {ref}`there` {doc}`b` {doc}`a`"
    )
    lost = ["1: cite:t two", "1: eq eq-a", "1: ref there", "1: doc b"]
    assert role_faults(text, known) == lost
    links = "[a](a.md#x) ![b](b.svg 'B') [c](https://c.d) [e](#e)"
    assert link_faults(links, tmp_path) == ["1: a.md#x", "1: b.svg"]


# Notation


def rows_without_code(text):
    """Rows of tables with a ``code`` column that name no code there, or no symbol."""
    faults, column = [], None
    for _, line in prose(text):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        heads = [cell.lower() for cell in cells]
        if not line.strip().startswith("|"):
            column = None
        elif any(head.startswith("code") for head in heads):
            column = next(i for i, head in enumerate(heads) if head.startswith("code"))
        elif column is not None and not set(line) <= set("|-: "):
            right = len(cells) > column and re.search(r"`[^`]+`", cells[column])
            faults += [] if right and cells[0] else [line]
    return faults


def test_every_symbol_has_a_name_in_code():
    table = [line for line in TEXTS["notation"].splitlines() if line.startswith("|")]
    assert len(table) > 2
    assert rows_without_code(TEXTS["notation"]) == []
    bad = "| symbol | code name |\n|---|---|\n| $x$ | `x` |\n| $y$ | y |\n|  | `z` |"
    assert rows_without_code(bad) == ["| $y$ | y |", "|  | `z` |"]


# Alone in an empty folder


def complaints(notebook):
    """What the cells of an executed notebook wrote to stderr, but for progress bars."""
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    errors = [out.text for out in outputs if out.get("name") == "stderr"]
    return [
        text
        for text in errors
        if re.sub(r"\r *\d+%\|.*?\](?=\r|\n|$)", "", text).strip()
    ]


@pytest.mark.parametrize("stem", RUN)
def test_chapter_ran_alone_from_top_to_bottom(stem, built_site):
    """Once a run, by the build: its cache says that it was in an empty folder."""
    build = built_site.parent
    executed = nbformat.read(build / f"jupyter_execute/chapters/{stem}.ipynb", 4)
    cells = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [c.source for c in cells] == [c.source for c in code_cells(TEXTS[stem])]
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1))
    assert complaints(executed) == []
    with opened_cache(build / ".jupyter_cache") as cache:
        record = cache.match_cache_notebook(executed)
    assert record.data["alone"] and record.data["execution_seconds"] > 0


def test_a_chapter_that_warns_is_found(apart):
    cell = nbformat.v4.new_code_cell("import warnings; warnings.warn('mind')")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    run = apart(lambda: asyncio.run(run_alone(notebook, timeout=60)))
    assert run.error == ""
    assert "mind" in complaints(notebook)[0]
