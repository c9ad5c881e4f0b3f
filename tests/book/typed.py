"""Numbers that are typed in the text where the run should give them.

What counts as a result is decided by form, so that no sentence is a matter of taste:

- a number before a unit in which the book measures (nats, per cent, standard errors),
  in digits or in words, and a share of one ("half a nat");
- any other number with a decimal point, in a formula of the line too, and any above
  ten, in digits or in words, unless a cell of the page holds the same number, or it is
  the size of one of the book's data sets: then it is a setting.

Not text: code, formulas that stand by themselves, roles, headings, links, what a
prediction asks, exercises, years, and numbers of chapters, exercises and rows.
"""

import io
import re
import tokenize

from vaebook.site.claims import prose

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
WORDS = {word: n for n, word in enumerate(SMALL)}
WORDS |= {word: 10 * n for n, word in enumerate(TENS, 2)}
WORDS |= {
    f"{ten}-{one}": WORDS[ten] + WORDS[one] for ten in TENS for one in SMALL[1:10]
}
TIMES = {"hundred": 100, "thousand": 1000, "million": 10**6}
ANY = "|".join(sorted(WORDS, key=len, reverse=True))
MANY = "|".join(TIMES)

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
DIGITS = rf"(?<![\w.,^{{/-])[-{MINUS}]?\d[\d,]*(?:\.\d+)?(?![\w/])"
WORD = rf"\b(?:(?:(?:{ANY}) )?(?:{MANY})|{ANY})\b(?!-)"
UNIT = (
    "nats?|per cent|%|standard errors?|of (?:its|their) (?:own )?(?:standard )?errors?"
)
NUMBER = re.compile(
    rf"(?P<number>{DIGITS}|{WORD})(?P<unit>\s+(?:{UNIT})(?!\w)|\s?%)?", re.I
)
SHARE = re.compile(
    r"\b(?:half|quarters?|thirds?|fifths?|sevenths?|tenths?|hundredths?|thousandths?)"
    r" (?:of )?an? (?:nat|per cent|standard error)\b",
    re.I,
)
INLINE = r"(?<!\\)\$[^$]*\$"
DISPLAY = r"(?s)\$\$.*?\$\$(?: \([\w-]+\))?"
GONE = [  # in this order
    r"(?m)^[ ]*`{3,}[^\n]*$",
    r"\{[\w:-]+\}`[^`]*`",
    r"`[^`]*`",
    r"\]\([^)]*\)",
    r"(?m)^#[^\n]*$",
    r"(?m)^:{3,}[^\n]*$",
    r"<[^>]*>",
    r"± (?:is )?one\s+standard error",
    r"[Oo]ne\s+standard error of",
    r"(?i:chapters?|exercises?|cases?|figure|row|column|step|run|seed)s? \d+(?:\.\d+)?"
    r"(?:(?:,| and| to| or) \d+)*",
    r"\b(?:18|19|20)\d\d\b",
    r"(?m)^\| \d+ \|",
    # a symbol and its chapters, in the table of notation
    rf"(?m)^\|[^|\n]*~[^|\n]*\| \d+(?:[{DASH}, ]+\d+)* \|",
]
HEADER = re.compile(r"\A---\n.*?\n---\n", re.S)
PREDICTION = re.compile(
    r"^(`{3,}|:{3,})\{admonition\} [^\n]*\n:class: prediction\n.*?^\1\s*$", re.S | re.M
)
EXERCISES = re.compile(r"^## Exercises.*?(?=^## )", re.S | re.M)


def typed(page, codes, captions=(), sizes=()):
    """Numbers typed as results: (line, words); the line of captions is 0."""
    known = settings(codes) | set(sizes)
    found = [(0, words) for text in captions for _, words in _results(text, known)]
    return found + list(_results(running_text(page), known))


def running_text(page):
    """The prose of a page, line by line where it was, without what asks or drills."""
    for pattern in (HEADER, PREDICTION, EXERCISES):
        page = pattern.sub(_blank, page)
    lines = dict(prose(page))
    return "\n".join(lines.get(n, "") for n in range(1, len(page.splitlines()) + 1))


def settings(codes):
    """The numbers that cells hold."""
    found = set()
    for code in codes:
        tokens = tokenize.generate_tokens(io.StringIO(code + "\n").readline)
        found |= {value(t.string) for t in tokens if t.type == tokenize.NUMBER}
    return found


def value(text):
    """The number that digits or words say; None of what is neither."""
    text = text.lower().strip(",").replace(",", "").replace(MINUS, "-")
    first, _, many = text.rpartition(" ")
    if many in TIMES:
        return float(WORDS.get(first, 1) * TIMES[many])
    if text in WORDS:
        return float(WORDS[text])
    try:
        return float(text.replace("_", ""))
    except ValueError:
        return None


def _results(text, known):
    text = re.sub(DISPLAY, _blank, text)
    for place, formula in _found(INLINE, text):
        for number in re.findall(r"\d+\.\d+", formula):
            if float(number) not in known:
                yield _line(text, place), number
    for pattern in (INLINE, *GONE):
        text = re.sub(pattern, _blank, text)
    for place, words in _found(SHARE, text):
        yield _line(text, place), " ".join(words.split())
    for hit in NUMBER.finditer(text):
        if hit["unit"] or not _is_setting(value(hit["number"]), known):
            yield _line(text, hit.start()), " ".join(hit[0].split())


def _is_setting(number, known):
    small = number is None or (abs(number) <= 10 and number == int(number))
    return small or abs(number) in known


def _found(pattern, text):
    return [(hit.start(), hit[0]) for hit in re.finditer(pattern, text)]


def _line(text, place):
    return text[:place].count("\n") + 1


def _blank(match):
    """As many lines as before, and a mark where there was one."""
    return "\n" * match[0].count("\n") or " ~ "
