"""Which rules of a style sheet a site keeps."""

import pytest

from vaebook.site.styles import all_slimmed, read, slimmed, words

KNOWN = read(["p{color: var( --a, var(--b))}"]) | words(
    ['<p class="here now" id="top">', 'box.classList.add("shown")']
)


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        ("p{color:red}", "p{color:red}"),
        (".here{color:red}", ".here{color:red}"),
        (".gone{color:red}", ""),
        (".gone,.now{color:red}", ".now{color:red}"),
        (".here .gone{color:red}", ""),
        (".shown{color:red}", ".shown{color:red}"),
        ("#top{color:red}#bottom{color:red}", "#top{color:red}"),
        (".here:not(.gone){color:red}", ".here:not(.gone){color:red}"),
        (".here:is(.now,.gone) p{color:red}", ".here:is(.now,.gone) p{color:red}"),
        ("p{margin:.5em}", "p{margin:.5em}"),
        ("a[href='.gone']{color:red}", 'a[href=".gone"]{color:red}'),
        (".here{}", ""),
        ("p{--a:1;--c:2;color:red}", "p{--a:1;color:red}"),
        (":root{--c:2; }", ""),
        ("p{--c:url(data:a;b);--b:url(data:a;b)}", "p{--b:url(data:a;b)}"),
        ("@media print{.gone{color:red}}", ""),
        (
            "@media (min-width:9px){.gone,p{color:red}}",
            "@media (min-width:9px){p{color:red}}",
        ),
        (
            "@font-face{font-family:A;src:url(a.woff)}",
            "@font-face{font-family:A;src:url(a.woff)}",
        ),
        (
            "@keyframes a{from{top:0}to{top:1px}}",
            "@keyframes a{from{top:0}to{top:1px}}",
        ),
        (':root{--a:"\\2211 "}', ':root{--a:"∑"}'),
    ],
)
def test_a_rule_is_kept_where_it_can_apply(css, kept):
    assert slimmed(css, KNOWN) == kept


def test_a_property_that_only_dropped_rules_read_is_dropped_too():
    sheets = {
        "one.css": ":root{--a:1;--b:var(--a);--c:2}",
        "two.css": ".gone{color:var(--b)}.here{color:var(--c)}",
    }
    assert all_slimmed(sheets, {"here"}) == {
        "one.css": ":root{--c:2}",
        "two.css": ".here{color:var(--c)}",
    }
