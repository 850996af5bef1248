"""What is checked before anything is downloaded or trained."""

import errno
import os
import resource
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.data.durable import storage_error
from core.data.mnist import FILES
from core.errors import ConfigError, StorageError
from pipelines import preflight
from pipelines.cli.commands import app
from pipelines.order import Order
from pipelines.recipe import Recipe, load_recipe


@pytest.fixture
def order(tmp_path: Path) -> Order:
    return Order(
        data_dir=tmp_path / "data", repository=str(tmp_path / "models"), mirrors=("file:///m",), feedback="off"
    )


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=size))


def test_folders_that_can_be_written_and_have_room_pass_and_nothing_stays_in_them(order: Order) -> None:
    preflight.check(order)
    assert [*order.data_dir.iterdir()] == [*Path(order.repository).iterdir()] == []


def test_a_disk_that_takes_no_byte_is_an_error_and_keeps_no_probe(order: Order, recipe: Recipe) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # as a full disk, but nobody else notices
    try:
        with pytest.raises(StorageError, match=f"cannot write {order.data_dir}: it is larger than the limit for files"):
            preflight.check(order)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [*order.data_dir.iterdir()] == []


@pytest.mark.parametrize("command", ["retrain", "schedule"])
@pytest.mark.parametrize("place", ["data", "models"])
def test_a_folder_that_cannot_be_made_ends_the_command_before_prefect_starts(
    place: str, command: str, order: Order, tmp_path: Path
) -> None:
    (tmp_path / place).touch()
    options = ["--data-dir", str(order.data_dir), "--repository", order.repository]
    cron = ["--cron", "0 3 * * *"] if command == "schedule" else []
    done = CliRunner().invoke(app, [command, *options, *cron])
    assert done.exit_code == 1
    assert f"error: cannot write {tmp_path / place}: " in done.stderr
    assert "something else is in its place" in done.stderr
    assert done.stderr.count("\n") == 1


def test_too_little_room_is_an_error_with_both_sizes(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 3_000_000)
    with pytest.raises(
        StorageError, match=r"has too little room: .* about \d\d\.\d MB to this disk, and 3\.0 MB are free"
    ):
        preflight.check(order)


def test_folders_on_one_disk_need_room_for_both(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    data, repository = (need.bytes for need in preflight.needs(order, load_recipe("mlp")))
    free(monkeypatch, data + repository)
    preflight.check(order)
    free(monkeypatch, data + repository - 1)
    with pytest.raises(StorageError, match="--data-dir"):
        preflight.check(order)


def test_a_folder_of_handwriting_that_is_not_there_is_refused(order: Order, tmp_path: Path) -> None:
    missing = order.model_copy(update={"handwriting": tmp_path / "gone"})
    with pytest.raises(ConfigError, match=f"^--handwriting {tmp_path}/gone: no such folder; expected pictures named"):
        preflight.check(missing)


@pytest.mark.parametrize("command", [["retrain"], ["schedule", "--cron", "0 3 * * *"]])
def test_a_webhook_without_a_secret_ends_the_command_before_prefect_starts(
    command: list[str], order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMERAL_WEBHOOK_URL", "https://example.org")
    options = ["--data-dir", str(order.data_dir), "--repository", order.repository]
    done = CliRunner().invoke(app, [*command, *options])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: NUMERAL_WEBHOOK_URL is set without a secret to sign with")


def test_a_bucket_needs_no_room_here(order: Order, recipe: Recipe) -> None:
    bucket = order.model_copy(update={"repository": "s3://bucket/models"})
    assert [need.flag for need in preflight.needs(bucket, recipe)] == ["--data-dir"]


@pytest.mark.parametrize(
    ("names", "saved"),
    [
        ([f"{file.name}.gz" for file in FILES], 12_000_000),
        ([file.name.upper().replace("-IDX", ".IDX") for file in FILES], 12_000_000),
        ([f"{file.name}/{file.name}" for file in FILES], 12_000_000),
        ([f"{file.name}.gz.part" for file in FILES], 0),
        ([f"{file.name}.gz" for file in FILES[1:]], 0),
    ],
    ids=["usual names", "other names", "in folders", "incomplete downloads", "one is missing"],
)
def test_only_files_that_a_run_would_use_are_not_downloaded_again(
    names: list[str], saved: int, order: Order, recipe: Recipe
) -> None:
    before = preflight.needs(order, recipe)[0].bytes
    for name in names:
        (order.data_dir / "mnist" / name).parent.mkdir(parents=True, exist_ok=True)
        (order.data_dir / "mnist" / name).touch()
    assert before - preflight.needs(order, recipe)[0].bytes == saved


def test_a_cache_that_cannot_be_read_is_an_error_that_names_it(order: Order, recipe: Recipe) -> None:
    order.data_dir.mkdir()
    (order.data_dir / "mnist").symlink_to("mnist")
    with pytest.raises(StorageError, match=f"cannot write {order.data_dir}/mnist: something else is in its place"):
        preflight.check(order)


def test_an_ensemble_and_drawn_images_need_more_room(order: Order, recipe: Recipe) -> None:
    sizes = [
        preflight.needs(order, load_recipe("mlp", overrides))[0].bytes
        for overrides in ([], ["train.members=3"], ["data.styles.digits=1000"])
    ]
    assert sizes[0] < sizes[1]
    assert sizes[2] - sizes[0] == 785_000


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the file system at / is mounted read-only"),
        (errno.EACCES, f"user {os.geteuid()} may not write there: / belongs to user "),
        (errno.EFBIG, "ulimit -f"),
        (errno.ENOTDIR, "something else is in its place"),
        (errno.EIO, "the disk reports an error"),
        (errno.ENAMETOOLONG, "File name too long"),
    ],
)
def test_the_reason_why_a_file_cannot_be_written_is_said_in_words(number: int, words: str) -> None:
    error = storage_error(Path("/missing/folder/file"), OSError(number, os.strerror(number)))
    assert str(error).startswith("cannot write /missing/folder/file: ")
    assert words in str(error)
