"""Records: read back as written, and no further from the code than rounding."""

import json
import re
import shlex
from dataclasses import replace

import pytest
from house.trees import ROOT

from vaebook.__main__ import parser, short_run
from vaebook.results import Record, RecordError, load, names, save

MADE = Record(
    command="python -m vaebook record run.safetensors --epochs 1 --name made",
    seeds=(0, 1),
    commit="0" * 40,
    hardware="2 cores, a processor, a system",
    seconds=1.5,
    versions={"python": "3.12.0", "torch": "2.13.0"},
    numbers={"test_score": 0.1 + 0.2},
    short={"test_score": 28.0},
    pictures={"drawn": "00ff"},
)


def test_a_record_is_read_back_as_it_was_written(tmp_path):
    assert save("made", MADE, tmp_path) == tmp_path / "made.json"
    assert load("made", tmp_path) == MADE


def test_a_new_record_takes_the_place_of_an_old_one(tmp_path):
    save("made", MADE, tmp_path)
    save("made", replace(MADE, seconds=2.0), tmp_path)
    assert load("made", tmp_path).seconds == 2.0
    assert names(tmp_path) == ["made"]


def test_a_number_that_is_not_finite_is_no_record(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        save("made", replace(MADE, numbers={"test_score": float("nan")}), tmp_path)
    assert names(tmp_path) == []


def test_a_missing_record_is_an_error_that_lists_the_others(tmp_path):
    with pytest.raises(RecordError, match=r"other\.json: no such record; found none"):
        load("other", tmp_path)
    save("made", MADE, tmp_path)
    with pytest.raises(RecordError, match=r"other\.json: no such record; found made"):
        load("other", tmp_path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", r"made\.json: expected JSON, found: Expecting property name"),
        ("[1]", r"expected the fields \['command', .*'versions'\], found list"),
        ('{"seconds": 1}', r"expected the fields .*, found \['seconds'\]"),
    ],
)
def test_a_file_that_is_no_record_is_an_error_that_says_what_it_is(
    tmp_path, text, found
):
    (tmp_path / "made.json").write_text(text)
    with pytest.raises(RecordError, match=found):
        load("made", tmp_path)


def test_seeds_that_are_no_list_are_refused(tmp_path):
    path = save("made", MADE, tmp_path)
    held = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(held | {"seeds": 5}), "utf-8")
    with pytest.raises(RecordError, match=r"expected a list of seeds, found 5"):
        load("made", tmp_path)


def short_again(command):
    """The short run that a record's command stands for, by the code as it is now."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "vaebook"]
    return short_run(parser().parse_args(words[3:]))


@pytest.mark.parametrize("name", names())
def test_a_stored_record_holds_what_a_record_must(name):
    record = load(name)
    assert f"--name {name}" in record.command
    assert record.seeds and all(isinstance(seed, int) for seed in record.seeds)
    assert int(record.commit, 16) and len(record.commit) == 40
    assert record.hardware and record.versions.keys() == {"python", "torch"}
    assert record.seconds > 0
    assert record.short and record.short.keys() <= record.numbers.keys()
    assert all(bytes.fromhex(ink) for ink in record.pictures.values())
    values = [*record.numbers.values(), *record.short.values()]
    assert all(isinstance(value, float) for value in values)


@pytest.mark.parametrize("name", names())
def test_a_stored_record_is_what_its_command_gives_on_a_small_scale(name):
    """Digits instead of MNIST, few epochs: other processors round otherwise."""
    record = load(name)
    assert short_again(record.command) == pytest.approx(record.short, rel=1e-4)


def typed(command):
    """The options of a command, less what tells one command from another."""
    words = shlex.split(command.replace("\\\n", " "))
    given = vars(parser().parse_args(words[words.index("vaebook") + 1 :]))
    return {name: given[name] for name in given if name not in ("command", "name")}


def test_the_readme_says_what_the_record_of_its_commands_holds():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    record = load("mnist")
    asked = typed(record.command)
    shown = re.findall(r"\S+ -m vaebook (?:train|evaluate) (?:.*\\\n)*.*", readme)
    assert len(shown) == 2
    flags = [set(re.findall(r"--(\w+)", command)) for command in shown]
    assert set.union(*flags) | {"name"} == set(re.findall(r"--(\w+)", record.command))
    for command, written in zip(shown, flags, strict=True):
        given = typed(command)
        assert {name: given[name] for name in written} == {
            name: asked[name] for name in written
        }
    prose = " ".join(readme.split())
    assert f"took {record.seconds:.0f} seconds on {record.hardware}," in prose
    numbers = record.numbers
    score = f"{numbers['test_score']:.2f} ± {numbers['standard_error']:.2f} nats"
    assert f"the test images score {score}." in prose


def test_a_record_that_has_drifted_from_the_code_is_found():
    """The same command with another seed: its numbers are not those of the first."""
    words = "python -m vaebook record x --hidden 8 --latents 2 --seed"
    numbers = [short_again(f"{words} {seed}") for seed in (0, 0, 1)]
    assert numbers[0] == numbers[1]
    assert numbers[0] != pytest.approx(numbers[2], rel=1e-3)
