"""Writing: the old file or the new one, whole; never half of one."""

import os

import pytest

from vaebook.files import write_whole


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_interrupted_writing_leaves_the_old_file_and_no_half(
    tmp_path, monkeypatch, step
):
    def interrupted(*_):
        raise KeyboardInterrupt

    (tmp_path / "kept").write_bytes(b"old")
    monkeypatch.setattr(os, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "kept", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_bytes() == b"old"
