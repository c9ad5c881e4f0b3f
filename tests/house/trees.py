"""The library as syntax trees: which files there are, what each imports."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "vaebook"
FILES = sorted(SOURCE.rglob("*.py"))
PICTURES = {"matplotlib", "ipywidgets", "anywidget", "traitlets"}
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
    "generation",
)

Graph = Mapping[str, set[str]]  # module to what it imports, all dotted


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """``vaebook.em.mixtures``; a package is named by its folder."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}
CHAPTERS = [name for name in BOOK if f"vaebook.{name}" in MODULES]


def chapter_of(module: str) -> str:
    """The first name after vaebook: a module's chapter, or its room."""
    return module.split(".")[1] if "." in module else ""


def imported(node: ast.AST, package: tuple[str, ...] = ("vaebook",)) -> Iterator[str]:
    """Dotted names that a syntax tree of a module in ``package`` imports, anywhere."""
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            yield from (alias.name for alias in part.names)
        if isinstance(part, ast.ImportFrom):
            base = package[: len(package) - part.level + 1] if part.level else ()
            start = ".".join([*base, *([part.module] if part.module else [])])
            yield from (f"{start}.{alias.name}" for alias in part.names)


def resolved(name: str, modules: Mapping[str, Path] = MODULES) -> str:
    """The module of this library that a dotted name lies in; else the name itself."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        if module in modules:
            return module
    return name


def graph() -> dict[str, set[str]]:
    """For each module of the library, what it imports: modules, dotted."""
    found = {}
    for module, path in MODULES.items():
        package = path.relative_to(SOURCE.parent).parent.parts
        names = imported(tree(path), package)
        found[module] = {resolved(name) for name in names} - {module}
    return found


def own(names: set[str]) -> set[str]:
    """Those of the names that are modules of this library."""
    return {name for name in names if name.split(".")[0] == "vaebook"}


def reached(module: str, edges: Graph) -> set[str]:
    """Modules of this library that importing ``module`` brings in, at any depth."""
    seen, ahead = set(), {module}
    while ahead:
        names = own(edges.get(ahead.pop(), set()))
        ahead |= names - seen
        seen |= names
    return seen


def circles(edges: Graph) -> list[list[str]]:
    """Modules that import themselves through others, each group sorted."""
    below = {module: reached(module, edges) for module in edges}
    rings = set()
    for module in edges:
        ring = [name for name in below[module] if module in below.get(name, ())]
        if ring:
            rings.add(tuple(sorted(ring)))
    return [list(ring) for ring in sorted(rings)]


def toc_files(toc: dict) -> list[str]:
    """Every ``file`` of a table of contents, in order, root first."""
    here = [toc[key] for key in ("root", "file") if key in toc]
    below = (
        part for key in ("parts", "chapters", "sections") for part in toc.get(key, [])
    )
    return here + [file for part in below for file in toc_files(part)]


PAGES = [
    Path(file).name
    for file in toc_files(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))
]
