"""Only regular files are read, whatever else lies at a path, and nothing makes the reader wait."""

import errno
import os
import socket
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from core.regular_file import (
    IrregularFileError,
    LargeFileError,
    concerns_one_file,
    read_regular,
    why_unreadable,
)


def listener(at: Path) -> None:
    with chdir(at.parent), socket.socket(socket.AF_UNIX) as found:
        found.bind(at.name)  # the address of a socket must be short


def test_a_file_is_read_up_to_its_limit_and_not_beyond(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 100)
    assert read_regular(file, 100) == b"x" * 100
    with pytest.raises(LargeFileError) as caught:
        read_regular(file, 99)
    assert why_unreadable(caught.value) == "100 bytes, expected at most 99"


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs a file that is larger than it says")
def test_a_file_that_says_it_is_empty_is_not_read_beyond_the_limit() -> None:
    with pytest.raises(LargeFileError, match="101 bytes, expected at most 100"):
        read_regular("/proc/self/maps", 100)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda at: at.mkdir(), "a folder"),
        (os.mkfifo, "a FIFO"),
        (listener, "a socket or a device"),
        (lambda at: at.symlink_to("file"), "a link"),
        (lambda at: at.symlink_to(at.name), "a link"),
        (lambda at: at.symlink_to("/dev/zero"), "a link"),
    ],
)
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None], kind: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    make(tmp_path / "odd")
    with pytest.raises(IrregularFileError) as caught:
        read_regular(tmp_path / "odd", 100)
    assert why_unreadable(caught.value) == f"{kind}, where a file is expected"


def test_a_device_is_refused_even_if_links_are_followed() -> None:
    with pytest.raises(IrregularFileError, match="a device"):
        read_regular("/dev/zero", 100, follow=True)


def test_a_link_is_followed_only_if_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 100, follow=True) == b"x"


def test_a_missing_file_is_told_from_one_that_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "nowhere", 100)


@pytest.mark.parametrize(
    ("number", "alone"),
    [(errno.EACCES, True), (errno.EIO, True), (errno.ELOOP, True), (errno.EMFILE, False), (errno.ESTALE, False)],
)
def test_errors_of_one_file_are_told_from_those_of_the_storage(number: int, alone: bool) -> None:
    assert concerns_one_file(OSError(number, os.strerror(number))) is alone
