"""Parts: as a line of the list, and whether their files are still the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.score.input_files import Content
from pipelines.score.part import FileIdentity, InputChangedError, Part


def _part() -> Part:
    files = (FileIdentity("a,\n\udcff.png", 3, 10**18 + 1, 7), FileIdentity("ä.png"))
    return Part(Content.PICTURE, "in", "/base", files, count=2)


def test_a_part_is_the_same_after_the_list_whatever_its_files_are_called():
    line = _part().encode()
    assert "\n" not in line
    assert line.isascii()
    assert Part.decode(line) == _part()


def test_the_name_of_the_rows_changes_with_the_part_and_with_what_is_asked():
    part = _part()
    other = replace(part, files=(part.files[0]._replace(mtime_ns=1), part.files[1]))
    names = {part.name("version 1"), part.name("version 2"), other.name("version 1")}
    assert len(names) == 3
    assert part.name("version 1") == Part.decode(part.encode()).name("version 1")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_bytes(b"longer"), "6 bytes, expected the 3 of the beginning"),
        (lambda path: path.unlink(), "it is gone"),
        (lambda path: (path.unlink(), path.write_bytes(b"new")), "it was written to, or replaced"),
    ],
)
def test_a_file_that_changes_is_named(here, change, words):
    path = Path("digit.png")
    path.write_bytes(b"old")
    Path("keeps-the-inode").hardlink_to(path)
    identity = FileIdentity.of("digit.png")
    identity.check(str(here))
    change(path)
    with pytest.raises(InputChangedError, match=f"digit.png: changed while it was being read: {words}"):
        identity.check(str(here))
