"""From the command line to files, and what is in them."""

import errno
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from core.data import idx
from core.errors import ConfigError
from pipelines.score.input_files import Content, contains, input_files
from pipelines.score.part import FileIdentity


def _found(*inputs: str, without: str = "table.csv") -> list[str]:
    return [file.path for file in input_files(inputs, without=Path(without))]


def _touch(*paths: str) -> None:
    for path in map(Path, paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_is_read_whole_in_the_order_of_names(here):
    _touch("in/b/2.png", "in/b/1.png", "in/a.png", "in/c.png")
    assert _found("in") == ["in/a.png", "in/b/1.png", "in/b/2.png", "in/c.png"]


def test_what_is_hidden_and_what_file_managers_leave_is_passed_over(here):
    _touch("in/.x.png", "in/.git/1.png", "in/__MACOSX/1.png", "in/Thumbs.db", "in/1.png")
    assert _found("in") == ["in/1.png"]


def test_the_table_is_no_input_though_it_lies_among_the_pictures(here):
    _touch("in/1.png", "in/table.csv", "other/table.csv")
    assert _found("in", "other", without="in/table.csv") == ["in/1.png", "other/table.csv"]


def test_links_to_folders_are_not_followed_and_links_to_files_are(here):
    _touch("in/1.png")
    Path("in/round").symlink_to(here)
    Path("in/2.png").symlink_to(here / "in/1.png")
    assert _found("in") == ["in/1.png", "in/2.png"]


def test_a_link_to_a_folder_is_followed_if_it_is_named(here):
    _touch("in/b/1.png")
    Path("link").symlink_to("in")
    assert _found("link", "link/*/*.png") == ["link/b/1.png", "link/b/1.png"]


def test_links_that_lead_nowhere_count_as_files_that_cannot_be_read(here):
    _touch("in/1.png")
    Path("in/2.png").symlink_to("nowhere.png")
    Path("in/3.png").symlink_to("3.png")
    assert _found("in", "in/[23].png") == ["in/1.png", "in/2.png", "in/3.png", "in/2.png", "in/3.png"]
    assert contains("in/2.png") is contains("in/3.png") is Content.PICTURE


@pytest.mark.parametrize("linked", [False, True])
def test_an_input_that_the_table_would_replace_is_refused_and_both_are_named(here, linked):
    _touch("mine.parquet")
    if linked:
        Path("link.parquet").symlink_to("mine.parquet")
    given = "link.parquet" if linked else "./mine.parquet"
    with pytest.raises(ConfigError, match=rf"INPUT {given}: --output mine.parquet is this same file"):
        _found(given, without="mine.parquet")


def test_a_pattern_takes_each_file_once_however_many_ways_it_matches(here):
    _touch("in/a/a/1.png", "in/a/2.png", "in/3.png")
    assert _found("in/**") == ["in/3.png", "in/a/2.png", "in/a/a/1.png"]
    assert _found("in/**/**/a/**/*.png") == ["in/a/2.png", "in/a/a/1.png"]


def test_a_pattern_takes_files_alone_and_no_folder_that_matches(here):
    _touch("in/1.png", "in/b/2.png")
    assert _found("in/*") == ["in/1.png"]
    with pytest.raises(ConfigError, match="no file matches"):
        _found("in/*/")


@pytest.mark.parametrize("pattern", ["in/**", "in/**/*.png", "in/*/*.png"])
def test_no_pattern_goes_through_a_linked_folder(here, pattern):
    _touch("in/a/1.png", "elsewhere/2.png")
    Path("in/round").symlink_to(here / "in")
    Path("in/out").symlink_to(here / "elsewhere")
    assert _found(pattern) == ["in/a/1.png"]


def test_a_pattern_that_matches_the_table_finds_the_same_before_and_after_it(here):
    _touch("in/1.csv")
    Path("in/link.csv").symlink_to("table.csv")
    before = _found("in", "in/*", without="in/table.csv")
    _touch("in/table.csv")
    assert before == _found("in", "in/*", without="in/table.csv") == ["in/1.csv", "in/1.csv"]


def test_a_pattern_passes_over_what_is_hidden_unless_it_has_the_dot(here):
    _touch("in/.x/1.png", "in/.2.png", "in/__MACOSX/3.png", "in/4.png")
    assert _found("in/**/*.png") == ["in/4.png"]
    assert _found("in/.*", "in/.x/*.png", "in/__MACOSX/*") == ["in/.2.png", "in/.x/1.png", "in/__MACOSX/3.png"]
    with pytest.raises(ConfigError, match="no file matches"):
        _found("in/_*/*")


def test_a_pattern_finds_files_in_any_folder_and_inputs_keep_their_order(here):
    _touch("in/1.png", "in/b/2.png", "in/b/3.jpg", "first.png")
    assert _found("in/b/3.jpg", "**/*.png") == ["in/b/3.jpg", "first.png", "in/1.png", "in/b/2.png"]


def test_a_name_with_brackets_that_exists_is_no_pattern(here):
    _touch("scan[1].png")
    assert _found("scan[1].png") == ["scan[1].png"]


@pytest.mark.parametrize(("given", "words"), [("none", "no such file or folder"), ("*.gif", "no file matches")])
def test_an_input_that_does_not_exist_is_named(here, given, words):
    with pytest.raises(ConfigError, match=words):
        _found(given)


def test_the_content_decides_what_a_file_is_and_never_its_name(here):
    images, labels = np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8)
    files = {
        "images": (idx.encode(images), Content.IDX),
        "images.png": (gzip.compress(idx.encode(images)), Content.IDX),
        "labels": (idx.encode(labels), Content.LABELS),
        "table": (b"PAR1....", Content.PARQUET),
        "text": (b"digits", Content.PICTURE),
        "empty": (b"", Content.PICTURE),
        "broken.gz": (b"\x1f\x8bxx", Content.PICTURE),
    }
    for name, (data, _) in files.items():
        Path(name).write_bytes(data)
    assert {name: contains(name) for name in files} == {name: content for name, (_, content) in files.items()}


def test_nothing_waits_for_the_writer_of_a_fifo(here):
    os.mkfifo("pipe")
    assert contains("pipe") is Content.PICTURE


def test_nothing_is_read_of_a_pipe_whose_writer_has_not_written_yet(here):
    reader, writer = os.pipe()
    try:
        assert contains(f"/dev/fd/{reader}") is Content.PICTURE
        os.write(writer, b"PAR1")
        assert contains(f"/dev/fd/{reader}") is Content.PICTURE
        assert os.read(reader, 4) == b"PAR1"
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("look", [contains, FileIdentity.of])
def test_a_storage_that_fails_is_an_error_and_makes_no_file_a_picture(here, monkeypatch, look):
    def fail(*given, **more):
        raise OSError(errno.ESTALE, "Stale file handle")

    idx.write("images", np.zeros((2, 28, 28), np.uint8))
    monkeypatch.setattr(os, "open", fail)
    monkeypatch.setattr(Path, "stat", fail)
    with pytest.raises(OSError, match="Stale file handle"):
        look("images")
