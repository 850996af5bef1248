import os
import socket
from pathlib import Path

import pytest

from core.errors import PictureTooLargeError
from core.picture_file import read_picture


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.png"
    path.write_bytes(b"x" * 100)
    return path


def test_a_file_of_exactly_the_limit_is_read(file: Path) -> None:
    assert read_picture(file, 100) == read_picture(str(file), 5000) == b"x" * 100


def test_a_file_of_one_byte_more_is_refused_with_its_size(file: Path) -> None:
    with pytest.raises(PictureTooLargeError, match="100 bytes, at most 99 are accepted; save it smaller"):
        read_picture(file, 99)


def test_of_a_huge_file_nothing_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.truncate(file, 6_000_000_000)  # a hole, which takes no space
    with pytest.raises(PictureTooLargeError, match="6,000,000,000 bytes"):
        read_picture(file, 1000)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs a file that is larger than it says")
def test_of_a_file_that_says_it_is_empty_no_more_than_the_limit_is_read() -> None:
    with pytest.raises(PictureTooLargeError, match="101 bytes, at most 100"):
        read_picture("/proc/self/maps", 100)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="it is a directory, expected a regular file; name the files in it"):
        read_picture(tmp_path, 100)


def test_a_device_that_never_ends_is_refused() -> None:
    with pytest.raises(OSError, match="it is a device, expected a regular file"):
        read_picture("/dev/zero", 100)


def test_a_pipe_is_refused_even_if_nobody_writes_to_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a pipe, expected a regular file; save the picture in a file first"):
        read_picture(tmp_path / "pipe", 100)


def test_a_socket_is_an_os_error(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="socket"):
            read_picture(tmp_path / "socket", 100)


def test_a_missing_file_and_a_loop_of_links_are_os_errors(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "nowhere.png", 100)
    with pytest.raises(OSError, match="symbolic links"):
        read_picture(tmp_path / "loop", 100)
