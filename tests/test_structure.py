"""The rules of the house, proved from syntax trees, the lock and the checkout."""

import ast
import fnmatch
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from vaebook.claims import claims, equations

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "vaebook"
BOOK = (
    "likelihood",
    "map_estimation",
    "em",
    "bayes",
    "variational",
    "monte_carlo",
    "reparameterization",
    "linear_vae",
    "autoencoder",
    "vae",
    "evaluation",
    "applications",
)
PARTS = {
    "checks": "likelihood",
    "uncertainty": "likelihood",
    "mixtures": "em",
    "starts": "em",
    "approximation": "bayes",
    "conjugate_kl": "variational",
    "kl_fits": "variational",
    "mean_field": "variational",
    "bayesian_mixtures": "variational",
    "metropolis": "monte_carlo",
    "score_function": "reparameterization",
    "relaxation": "reparameterization",
    "linear_solvers": "linear_vae",
}
SHARED = {"datasets", "figures", "training", "explore"}
PICTURES = {"matplotlib", "ipywidgets", "anywidget"}
TOP = {
    *(".ci", ".gitattributes", ".gitignore", "CITATION.cff", "CONTRIBUTING.md"),
    *("LICENSE", "LICENSE-text", "Makefile", "README.md", "_config.yml", "_toc.yml"),
    *("benchmarks", "chapters", "pyproject.toml", "requirements.txt", "src", "tests"),
}
WITHOUT_MODULE = {"structure", "chapters"}  # tests of the whole book
FILES = sorted(SOURCE.rglob("*.py"))
MODULES = [module for module in BOOK if (SOURCE / f"{module}.py").exists()]


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def relative(path):
    return path.relative_to(ROOT).as_posix()


each_file = pytest.mark.parametrize("path", FILES, ids=relative)
each_module = pytest.mark.parametrize("module", [*MODULES, *PARTS])


# Order of the book


def toc_files(toc):
    """Every ``file`` of a table of contents, in order, root first."""
    here = [toc[key] for key in ("root", "file") if key in toc]
    below = (
        part for key in ("parts", "chapters", "sections") for part in toc.get(key, [])
    )
    return here + [file for part in below for file in toc_files(part)]


CHAPTERS = [
    Path(file).name
    for file in toc_files(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))
]
NUMBERED = [stem for stem in CHAPTERS if stem[:2].isdigit()]


def misnumbered(stems):
    """Chapters whose number is not their place in the book, or out of order."""
    planned = [f"{place:02}_{module}" for place, module in enumerate(BOOK, 1)]
    wrong = [stem for stem in stems if stem not in planned]
    return wrong or (stems if stems != sorted(stems) else [])


def test_chapters_stand_in_the_planned_order():
    assert CHAPTERS[0] == "index" and NUMBERED
    assert misnumbered(NUMBERED) == []
    assert misnumbered(["10_vae", "03_em"]) and misnumbered(["02_vae"])


@pytest.mark.parametrize("stem", NUMBERED)
def test_numbered_chapter_has_module_and_test_of_its_stem(stem):
    assert (ROOT / "chapters" / f"{stem}.md").is_file()
    assert (SOURCE / f"{stem[3:]}.py").is_file()
    assert (ROOT / "tests" / f"test_{stem[3:]}.py").is_file()


def subjects():
    """Modules and packages of the library, by the names that their tests carry."""
    modules = {path.stem.strip("_") for path in SOURCE.glob("*.py")} - {"init"}
    return modules | {path.parent.name for path in SOURCE.glob("*/__init__.py")}


@pytest.mark.parametrize("name", sorted(subjects()))
def test_module_has_a_test_of_its_name(name):
    assert (ROOT / "tests" / f"test_{name}.py").is_file()


def test_every_test_has_a_module_of_its_name():
    tested = {path.stem.removeprefix("test_") for path in ROOT.glob("tests/test_*.py")}
    assert tested - subjects() == WITHOUT_MODULE


# Imports follow the book


def imported(node, package=("vaebook",)):
    """Dotted names that a syntax tree of a module in ``package`` imports, anywhere."""
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            yield from (alias.name for alias in part.names)
        if isinstance(part, ast.ImportFrom):
            base = package[: len(package) - part.level + 1] if part.level else ()
            start = ".".join([*base, *([part.module] if part.module else [])])
            yield from (f"{start}.{alias.name}" for alias in part.names)


def graph():
    """For each module or package directly in vaebook: what it imports, dotted."""
    found = {}
    for path in FILES:
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        names = found.setdefault(parts[1], set())
        names.update(imported(tree(path), parts[:-1]))
    return found


def own(names):
    """The modules of this library among dotted names."""
    return {name.split(".")[1] for name in names if name.startswith("vaebook.")}


def reached(module, edges):
    """Modules of this library that importing ``module`` brings in, at any depth."""
    seen, ahead = set(), {module}
    while ahead:
        names = own(edges.get(ahead.pop(), ()))
        ahead |= names - seen
        seen |= names
    return seen


def import_faults(module, edges):
    """What ``module`` imports against the rules of the house.

    A part of a chapter may import that chapter's module, and that module its parts.
    """
    chapter = PARTS.get(module, module)
    place = BOOK.index(chapter)
    own_parts = {part for part, whole in PARTS.items() if whole in BOOK[: place + 1]}
    own_parts |= {chapter} if module in PARTS else set()
    earlier = set(BOOK[:place]) | own_parts
    below = reached(module, edges)
    used = set().union(edges[module], *(edges.get(name, ()) for name in below))
    return {
        "not earlier, not shared": own(edges[module]) - earlier - SHARED,
        "later, through others": (below & set(BOOK)) - earlier,
        "draws": below & {"figures", "explore", "site"}
        | PICTURES & {name.split(".")[0] for name in used},
    }


@each_module
def test_chapter_module_imports_only_earlier_ones_and_draws_nothing(module):
    faults = import_faults(module, graph())
    assert not any(faults.values()), faults


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("from vaebook.vae import VAE", "not earlier, not shared"),
        ("from .vae import VAE", "not earlier, not shared"),
        ("from . import vae", "not earlier, not shared"),
        ("def f():\n    import vaebook.vae", "not earlier, not shared"),
        ("from vaebook.claims import claims", "not earlier, not shared"),
        ("from vaebook.em import e_step", "later, through others"),
        ("from vaebook import figures", "draws"),
        ("import matplotlib.pyplot as plt", "draws"),
        ("from vaebook.training import fit", "draws"),
    ],
)
def test_import_faults_are_found(statement, fault):
    edges = {"em": {"vaebook.vae.VAE"}, "training": {"vaebook.explore.x"}}
    edges["bayes"] = set(imported(ast.parse(statement)))
    assert import_faults("bayes", edges)[fault]


@pytest.mark.parametrize("module", MODULES[: MODULES.index("vae")])
def test_last_chapter_assembles_the_book(module):
    assert module in own(imported(tree(SOURCE / "vae.py")))


DECLARATIONS = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef),
    *(ast.Assign, ast.AnnAssign),
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


# Equations and their tests


def label_faults(stated, marks):
    """Labels without a test, marks without a label or a comparison, doubles."""
    labels = [equation.label for equation in stated]
    checked = {mark.label for mark in marks}
    return {
        "no test": sorted(set(labels) - checked),
        "no such label": sorted(checked - set(labels)),
        "stated twice": sorted({one for one in labels if labels.count(one) > 1}),
        "against nothing": [m.test for m in marks if not m.against.strip()],
        "another chapter's name": [
            e.label for e in stated if not e.label.startswith(prefix(e.chapter))
        ],
    }


def prefix(stem):
    """How the labels of a chapter begin: ``eq-monte-carlo-`` for 06_monte_carlo."""
    return f"eq-{re.sub('^[0-9]+_', '', stem).replace('_', '-')}-"


STATED = [e for e in equations(ROOT / "chapters") if e.chapter in CHAPTERS]


@pytest.mark.parametrize("fault", label_faults([], []))
def test_every_equation_is_tested_and_every_mark_has_one(fault):
    assert STATED
    found = label_faults(STATED, claims(ROOT / "tests"))[fault]
    assert found == [], found


def test_label_faults_are_found(tmp_path):
    page = "$$ x $$ (eq-em-one)\n\n$$ x $$ (eq-em-one)\n\n$$ x $$ (eq-vae-two)\n"
    (tmp_path / "03_em.md").write_text(page)
    mark = '@pytest.mark.equation("eq-em-none", against=" ")\ndef test_it(): ...\n'
    (tmp_path / "test_em.py").write_text(mark)
    assert label_faults(equations(tmp_path), claims(tmp_path)) == {
        "no test": ["eq-em-one", "eq-vae-two"],
        "no such label": ["eq-em-none"],
        "stated twice": ["eq-em-one"],
        "against nothing": ["tests/test_em.py::test_it"],
        "another chapter's name": ["eq-vae-two"],
    }


@each_file
def test_docstrings_name_equations_that_exist(path):
    named = re.findall(r"Equations?: (eq-[\w-]+)", path.read_text(encoding="utf-8"))
    unknown = sorted(set(named) - {equation.label for equation in STATED})
    assert unknown == [], unknown


# Sizes and shapes

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def size(function):
    """Lines of a function without its docstring."""
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function, clean=False) is None:
        return lines
    text = function.body[0]
    return lines - (text.end_lineno - text.lineno + 1)


def arguments(function):
    """Names of a function's arguments, but not self or cls."""
    given = function.args
    extra = [one for one in (given.vararg, given.kwarg) if one]
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *extra]
    return [one.arg for one in every if one.arg not in {"self", "cls"}]


def oversized(node):
    """Functions over 25 lines or five arguments, with what was counted."""
    functions = [part for part in ast.walk(node) if isinstance(part, FUNCTIONS)]
    long = [f"{f.name}: {size(f)} lines" for f in functions if size(f) > 25]
    wide = [(f.name, arguments(f)) for f in functions if len(arguments(f)) > 5]
    return [*long, *(f"{name}: {len(names)} arguments" for name, names in wide)]


@each_file
def test_module_and_functions_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 200
    found = oversized(tree(path))
    assert found == [], found


def test_oversized_functions_are_found():
    body = "\n".join(["    x = 1"] * 25)
    assert oversized(ast.parse(f"def f():\n{body}")) == ["f: 26 lines"]
    assert oversized(ast.parse(f'def f():\n    """D\n\n    d"""\n{body[10:]}')) == []
    assert oversized(ast.parse("def f(self, a, b, c, *d, e, f): ...")) == [
        "f: 6 arguments"
    ]
    assert oversized(ast.parse("def f(self, a, b, *c, d, e): ...")) == []


def undocumented(node):
    """Public functions and classes at the top of a module without a docstring."""
    named = [part for part in node.body if isinstance(part, (*FUNCTIONS, ast.ClassDef))]
    public = [part for part in named if not part.name.startswith("_")]
    return [part.name for part in public if not ast.get_docstring(part)]


@each_module
def test_public_names_of_a_chapter_are_documented(module):
    assert undocumented(tree(SOURCE / f"{module}.py")) == []


def test_a_missing_docstring_is_found():
    assert undocumented(ast.parse("def f(): ...\ndef _g(): ...")) == ["f"]


# The checkout


def checkout():
    """Files of the project: git's, or in a plain folder those git would not ignore."""
    git = shutil.which("git")
    names = []
    if git:
        listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True)
        names = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    if not names:
        ignored = [".git", *(ROOT / ".gitignore").read_text("utf-8").split()]
        names = list(unignored(ROOT, [rule.rstrip("/") for rule in ignored]))
    return [name for name in names if (ROOT / name).is_file()]


def unignored(folder, rules):
    for path in sorted(folder.iterdir()):
        if any(fnmatch.fnmatch(path.name, rule) for rule in rules):
            continue
        if path.is_dir():
            yield from unignored(path, rules)
        else:
            yield path.relative_to(ROOT)


def test_top_level_holds_only_what_a_newcomer_expects():
    top = {name.parts[0] for name in checkout()}
    assert {"README.md", "src", "tests"} <= top <= TOP, top - TOP


def test_no_file_is_a_drawer_for_anything():
    stems = {name.stem.strip("_").lower(): name for name in checkout()}
    assert not stems.keys() & {"utils", "util", "helpers", "misc", "common"}


REGISTRY = "|".join(  # in two halves, so that this file does not hold them either
    a + b
    for a, b in [
        ("index[-_]", "url"),
        ("find-", "links"),
        ("py", r"pi\.org"),
        ("python", "hosted"),
        ("registry", r"\.npmjs"),
        ("conda", r"\.anaconda"),
        ("download", r"\.pytorch"),
    ]
)


@pytest.mark.parametrize("name", checkout(), ids=str)
def test_file_names_no_package_registry(name):
    text = (ROOT / name).read_bytes().decode("utf-8", errors="replace")
    assert re.findall(REGISTRY, text, re.IGNORECASE) == []


def test_a_registry_is_found():
    assert re.search(REGISTRY, "pip --INDEX" + "-URL x", re.IGNORECASE)
    assert re.search(REGISTRY, "https://py" + "pi.org/simple")


# The lock

LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
CUDA = ("nvidia-", "cuda-", "triton")  # torch's GPU build names its own


def pins(lines):
    """Name to version for the lines of a lock that hold on this machine."""
    words = [line.split("#")[0].strip() for line in lines]
    required = [Requirement(word) for word in words if word and word != "-e ."]
    here = [need for need in required if not need.marker or need.marker.evaluate()]
    return {canonicalize_name(need.name): str(need.specifier) for need in here}


def needed(texts, extras):
    """Requirements that hold on this machine with one of ``extras``."""
    places = [default_environment() | {"extra": extra} for extra in ("", *extras)]
    every = [Requirement(text) for text in texts or ()]
    return [r for r in every if not r.marker or any(map(r.marker.evaluate, places))]


def closure():
    """Name to installed version of all that pyproject.toml's ranges bring in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ranges = [project["dependencies"], *project["optional-dependencies"].values()]
    ahead = [Requirement(text) for text in chain(*ranges)]
    found, seen = {}, set()
    while ahead:
        need = ahead.pop()
        name, asked = canonicalize_name(need.name), frozenset(need.extras)
        if (name, asked) in seen or name.startswith(CUDA):
            continue
        seen.add((name, asked))
        found[name] = metadata.version(name)
        ahead += needed(metadata.requires(name), asked)
    return found


def lock_faults(found, pinned):
    """Installed distributions that the lock does not pin to what is installed."""
    public = {name: f"=={Version(found[name]).public}" for name in found}
    return {
        name: f"installed {version}, lock {pinned.get(name, 'silent')}"
        for name, version in public.items()
        if pinned.get(name) != version
    }


def test_lock_pins_everything_that_is_installed():
    found = lock_faults(closure(), pins(LOCK))
    assert found == {}, found


def test_lock_installs_this_package_in_place_at_the_end():
    assert LOCK[-1] == "-e ."
    assert pins(["torch==2.13.0"]).items() <= pins(LOCK).items()


def test_lock_faults_are_found():
    pinned = pins(["a==1.0", "b>=2", "d==1 ; sys_platform == 'none'"])
    found = {"a": "1.0+cpu", "b": "2", "c": "1", "d": "1"}
    assert sorted(lock_faults(found, pinned)) == ["b", "c", "d"]
