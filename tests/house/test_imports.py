"""Imports follow the book, mathematics never imports pictures, no ring is closed."""

import ast
import re
import subprocess
import sys

import pytest
from house.trees import (
    BOOK,
    CHAPTERS,
    FILES,
    MODULES,
    PICTURES,
    SOURCE,
    chapter_of,
    circles,
    graph,
    imported,
    own,
    reached,
    relative,
    resolved,
    tree,
)

SHARED = {"checks", "distances", "files", "protocols", "datasets", "training"}
DRAWING = {"figures", "pictures", "explore", "site"}
GRAPH = graph()
OF_CHAPTERS = sorted(name for name in MODULES if chapter_of(name) in BOOK)

each_file = pytest.mark.parametrize("path", FILES, ids=relative)
each_module = pytest.mark.parametrize("module", OF_CHAPTERS)


# Imports follow the book


def import_faults(module, edges):
    """What a chapter's module imports against the rules of the house."""
    place = BOOK.index(chapter_of(module))
    earlier = set(BOOK[: place + 1])
    direct = {chapter_of(name) for name in own(edges[module])} - {""}
    rooms = {chapter_of(name) for name in reached(module, edges)}
    return {
        "not earlier, not shared": direct - earlier - SHARED,
        "later, through others": (rooms & set(BOOK)) - earlier,
        "draws": import_draws(module, edges),
    }


def import_draws(module, edges):
    """Rooms and libraries of pictures that a module brings in, at any depth."""
    below = reached(module, edges)
    used = set().union(edges[module], *(edges.get(name, ()) for name in below))
    libraries = PICTURES & {name.split(".")[0] for name in used}
    return libraries | DRAWING & {chapter_of(name) for name in below}


@each_module
def test_chapter_module_imports_only_earlier_ones_and_draws_nothing(module):
    faults = import_faults(module, GRAPH)
    assert not any(faults.values()), faults


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("from vaebook.vae import VAE", "not earlier, not shared"),
        ("from vaebook.vae.model import VAE", "not earlier, not shared"),
        ("from ..vae import VAE", "not earlier, not shared"),
        ("from .. import vae", "not earlier, not shared"),
        ("def f():\n    import vaebook.vae.model", "not earlier, not shared"),
        ("from vaebook.site.claims import claims", "not earlier, not shared"),
        ("from vaebook.em import e_step", "later, through others"),
        ("from vaebook import figures", "draws"),
        ("import matplotlib.pyplot as plt", "draws"),
        ("import traitlets as t", "draws"),
        ("from vaebook.training import fit", "draws"),
    ],
)
def test_import_faults_are_found(statement, fault):
    edges = {"vaebook.em": {"vaebook.vae"}, "vaebook.training": {"vaebook.explore"}}
    names = imported(ast.parse(statement), ("vaebook", "bayes"))
    edges["vaebook.bayes.exact"] = {resolved(name) for name in names}
    assert import_faults("vaebook.bayes.exact", edges)[fault]


@pytest.mark.parametrize(
    "module", sorted(name for name in MODULES if chapter_of(name) in SHARED)
)
def test_shared_room_draws_nothing(module):
    assert import_draws(module, GRAPH) == set()


def test_a_shared_room_that_draws_is_found():
    edges = {"vaebook.training.loop": {"vaebook.em"}, "vaebook.em": {"matplotlib"}}
    assert import_draws("vaebook.training.loop", edges) == {"matplotlib"}
    assert import_draws("vaebook.files", {"vaebook.files": {"vaebook.figures"}})


@pytest.mark.parametrize("chapter", CHAPTERS[: CHAPTERS.index("vae")])
def test_last_chapter_assembles_the_book(chapter):
    inside = [name for name in MODULES if chapter_of(name) == "vae"]
    used = set().union(*(own(GRAPH[name]) for name in inside))
    assert chapter in {chapter_of(name) for name in used}


# No rings


def test_no_module_imports_itself_through_others():
    assert circles(without_faces(GRAPH)) == []


def without_faces(edges):
    """The graph without the packages that only hand names on to their own readers."""
    faces = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    return {
        module: {name for name in names if not (name in faces and inside(module, name))}
        for module, names in edges.items()
    }


def inside(module, package):
    return module.startswith(f"{package}.")


def test_a_ring_is_found():
    edges = {"vaebook.a": {"vaebook.b"}, "vaebook.b": {"vaebook.c"}}
    assert circles(edges) == []
    edges["vaebook.c"] = {"vaebook.a", "torch"}
    assert circles(edges) == [["vaebook.a", "vaebook.b", "vaebook.c"]]


# Explorers

ROOMS_OF_EXPLORERS = {"figures", "pictures", "checks", "distances", *BOOK}
EXPLORERS = sorted(name for name in MODULES if name.startswith("vaebook.explore."))


def explorer_faults(module, edges):
    """What a module of ``explore`` imports that it must not know."""
    _, _, room, *rest = module.split(".")
    here = f"vaebook.explore.{room}"
    faults = []
    for name in sorted(own(edges[module])):
        shared = name.startswith("vaebook.explore.parts")
        mine = name.startswith(f"{here}.") or name == here
        if chapter_of(name) != "explore":
            faults += [] if chapter_of(name) in ROOMS_OF_EXPLORERS else [name]
        elif not (shared or mine):
            faults.append(name)
    backwards = f"{here}.explorer" in edges[module] and rest != []
    return faults + ["its own explorer"] * backwards + drawn_by_maths(module, edges)


def drawn_by_maths(module, edges):
    """Pictures that a ``maths`` brings in, through others of the library too."""
    if module.split(".")[-1] != "maths":
        return []
    below = reached(module, edges)
    used = set().union(edges[module], *(edges.get(name, ()) for name in below))
    libraries = PICTURES & {name.split(".")[0] for name in used}
    drawing = {n for n in below if chapter_of(n) in ("figures", "pictures")}
    return sorted(libraries | drawing)


@pytest.mark.parametrize("module", EXPLORERS)
def test_an_explorer_knows_itself_the_parts_and_the_mathematics(module):
    assert explorer_faults(module, without_faces(GRAPH)) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("vaebook.explore.pads.explorer", "vaebook.explore.latent.maths"),
        ("vaebook.explore.pads.explorer", "vaebook.explore.latent"),
        ("vaebook.explore.parts.packing", "vaebook.explore.latent.maths"),
        ("vaebook.explore.pads.explorer", "vaebook.site.claims"),
        ("vaebook.explore.pads.still", "vaebook.explore.pads.explorer"),
        ("vaebook.explore.pads.maths", "traitlets"),
        ("vaebook.explore.pads.maths", "vaebook.figures"),
        ("vaebook.explore.pads.maths", "vaebook.pictures"),
        ("vaebook.explore.pads.maths", "vaebook.explore.parts.picture"),
    ],
)
def test_a_cross_import_is_found(module, name):
    edges = GRAPH | {module: GRAPH[module] | {name}}
    assert explorer_faults(module, without_faces(edges)) != []


SCRIPTS = sorted((SOURCE / "explore").rglob("*.js"))
FROM = re.compile(r'\bfrom "([^"]+)"')


def script_faults(folder, text):
    """Imports of a script that lead neither to its own folder nor to the parts."""
    allowed = r"\./\w+\.js" if folder == "parts" else r"(\.|\.\./parts)/\w+\.js"
    return [name for name in FROM.findall(text) if not re.fullmatch(allowed, name)]


@pytest.mark.parametrize("path", SCRIPTS, ids=relative)
def test_a_script_imports_its_own_folder_and_the_parts(path):
    assert script_faults(path.parent.name, path.read_text("utf-8")) == []


def test_a_script_that_reaches_elsewhere_is_found():
    stray = 'import { a } from "../latent/pad.js";\n'
    assert script_faults("pads", stray) and script_faults("parts", stray)
    assert script_faults("parts", 'import { a } from "../parts/dom.js";\n')
    assert script_faults("pads", 'import {\n  a,\n} from "../parts/dom.js";\n') == []


# Importing does nothing

DECLARATIONS = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
)


def acts(node):
    """Line numbers of statements that do something when a module is imported."""

    def harmless(part):
        text = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
        names = {"TYPE_CHECKING", "__name__ == '__main__'"}
        inert = isinstance(part, ast.If) and ast.unparse(part.test) in names
        return text or inert or isinstance(part, DECLARATIONS)

    return [part.lineno for part in node.body if not harmless(part)]


@each_file
def test_importing_does_nothing(path):
    assert acts(tree(path)) == []


def test_an_act_at_import_is_found():
    assert acts(ast.parse('"""Doc."""\nimport torch\ntorch.manual_seed(0)')) == [3]


def test_package_itself_imports_nothing():
    code = "import sys, vaebook; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    loaded = set(run.stdout.split())
    assert "vaebook" in loaded
    assert not loaded & {"torch", "numpy", "scipy", "sklearn", *PICTURES}
