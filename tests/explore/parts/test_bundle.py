"""One text per widget: its modules, written into their root."""

import re

import pytest

from vaebook.explore.parts.bundle import bundle


def modules(folder, **texts):
    """A folder of modules, each named by its path without the ending."""
    for name, text in texts.items():
        path = folder / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_bundle_writes_each_module_once(tmp_path):
    shared = "const hidden = 1;\nexport const a = hidden;\n"
    folder = modules(
        tmp_path,
        shared=shared,
        left='import { a } from "./shared.js";\nexport function left() { return a; }\n',
        root='import { a } from "./shared.js";\nimport { left } from "./left.js";\n'
        "const hidden = 2;\nexport default { a, left, hidden };\n",
    )
    text = bundle("root.js", folder)
    assert text.count("const hidden=1;") == 1
    assert "import" not in text and text.count("export") == 1
    assert text.index("module_shared=") < text.index("module_left=")


@pytest.mark.parametrize(
    ("root", "message"),
    [
        ('import { b } from "./other.js";\n', "imports b, which other.js does not"),
        ('import other from "./other.js";\n', "write imports as"),
        ('import { ring } from "./ring.js";\n', "ring.js -> ring.js"),
        ('import { c } from "./late.js";\n', "write exports before"),
        ("const a = `b ${c.map((d) => `${d} e`)}`;\n", "no template in a template"),
    ],
)
def test_bundle_refuses_what_it_does_not_understand(tmp_path, root, message):
    ring = 'import { ring } from "./ring.js";\nexport const ring = 1;\n'
    late = "export const c = 1;\nexport { c as d };\n"
    other = "export const a = 1;\n"
    modules(tmp_path, root=root, other=other, ring=ring, late=late)
    with pytest.raises(ValueError, match=message):
        bundle("root.js", tmp_path)


def test_bundle_leaves_out_comments_and_needless_white_space(tmp_path):
    inner = (
        "// Why.\nexport const a = [\n  `// ${1}  `, // kept\n\n  // why\n  2,\n];\n"
    )
    root = '// What.\nimport { a } from "./inner.js";\n\nexport default { a };\n'
    text = bundle("root.js", modules(tmp_path, root=root, inner=inner))
    assert "const a=[`// ${1}  `,2,];" in text
    assert text.startswith("const module_inner") and "hat" not in text


@pytest.mark.parametrize("written", ['"a  // b"', "`${a} ${b}`", "/ {2}x/g"])
def test_bundle_keeps_the_white_space_of_strings(tmp_path, written):
    root = f"const [a, b] = [1, 2];\nexport default [ {written} , a, b];\n"
    assert written in bundle("root.js", modules(tmp_path, root=root))


def test_bundle_names_modules_by_their_whole_path(tmp_path):
    folder = modules(
        tmp_path,
        **{
            "parts/maths": "export const one = 1;\n",
            "surface/maths": 'import { one } from "../parts/maths.js";\n'
            "export const two = one + 1;\n",
            "surface/explorer": 'import { one } from "../parts/maths.js";\n'
            'import { two } from "./maths.js";\nexport default { one, two };\n',
        },
    )
    text = bundle("surface/explorer.js", folder)
    assert text.count("const module_parts$maths=") == 1
    assert text.count("const module_surface$maths=") == 1
    assert "const{two}=module_surface$maths;export default" in text


def test_bundle_refuses_an_import_that_leads_out_of_the_folder(tmp_path):
    out = "export const a = 1;\n"
    root = 'import { a } from "../../out.js";\n'
    folder = modules(tmp_path, **{"out": out, "in/surface/root": root})
    message = r"surface/root\.js imports \.\./\.\./out\.js, which is out of the folder"
    with pytest.raises(ValueError, match=message):
        bundle("surface/root.js", folder / "in")


def test_bundle_refuses_a_ring_across_folders(tmp_path):
    folder = modules(
        tmp_path,
        **{
            "left/a": 'import { b } from "../right/b.js";\nexport const a = b;\n',
            "right/b": 'import { a } from "../left/a.js";\nexport const b = a;\n',
        },
    )
    with pytest.raises(ValueError, match=r"left/a\.js -> right/b\.js -> left/a\.js"):
        bundle("left/a.js", folder)


def test_bundle_finds_what_explorers_share():
    text = bundle("surface/explorer.js")
    assert not re.search(r"^import\b", text, re.MULTILINE)
    assert "const module_parts$dom=" in text
