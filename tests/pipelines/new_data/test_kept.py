"""What was collected, on disk: what trains, what is held out, the account, and the list of what was set aside."""

import json
import os
import time
from pathlib import Path

import pytest

from core.data.labeled import Labeled
from core.errors import DataError, StorageError
from pipelines.new_data.account import account_of, counts
from pipelines.new_data.held_out import divide, held_out, held_out_by_source
from pipelines.new_data.item import SetAside
from pipelines.new_data.kept import RECLAIMED_AFTER, keep, reclaim
from pipelines.references import DatasetRef
from tests.pipelines.full_disk import room_for

from .given import collected, item

FEEDBACK, EXTRA = "feedback /b", "extra /new"
ITEMS = [item(number, source=(FEEDBACK, EXTRA)[number % 2]) for number in range(60)]


def kept(folder: Path, *found: object, share: float = 0.2) -> tuple[DatasetRef, list[str]]:
    said: list[str] = []
    reference = keep(collected(*found), share, folder, said.append)  # type: ignore[arg-type]
    return DatasetRef(files={}, train_images=0, test_images=0, new_data=reference), said


def test_what_trains_is_packed_in_the_order_of_the_names(tmp_path: Path) -> None:
    dataset, _ = kept(tmp_path, *ITEMS)
    training, _ = divide(sorted(ITEMS, key=lambda each: each.name), 0.2)
    assert dataset.new_data is not None
    assert dataset.new_data.training is not None
    packed = Labeled.unpack(dataset.new_data.training.read())
    assert [image.tobytes() for image in packed.images] == [each.image.tobytes() for each in training]
    assert packed.labels.tolist() == [each.label for each in training]


def test_what_is_held_out_is_given_as_a_whole_and_by_source(tmp_path: Path) -> None:
    dataset, _ = kept(tmp_path, *ITEMS)
    _, apart = divide(ITEMS, 0.2)
    found = held_out_by_source(dataset)
    assert list(found) == [FEEDBACK, EXTRA]
    for source, images in found.items():
        expected = {each.image.tobytes() for each in apart if each.source == source}
        assert {image.tobytes() for image in images.images} == expected
    assert len(held_out(dataset)) == len(apart) == sum(map(len, found.values()))


def test_the_account_counts_each_source_and_digit(tmp_path: Path) -> None:
    dataset, said = kept(tmp_path, *ITEMS, ITEMS[0], ITEMS[1], SetAside(EXTRA, "a", "it is odd"))
    account, (training, apart) = account_of(dataset), divide(ITEMS, 0.2)
    assert account is not None
    assert (account.images, account.held_out_images) == (len(training), len(apart))
    feedback, extra = account.sources
    assert (feedback.source, extra.source) == (FEEDBACK, EXTRA)
    assert feedback.digits[3] == sum(each.label == 3 and each.source == FEEDBACK for each in training)
    assert extra.held_out[1] == sum(each.label == 1 and each.source == EXTRA for each in apart)
    assert (extra.set_aside, feedback.repeated, extra.repeated) == (1, 1, 1)
    assert counts(dataset) == {"trained": len(training), "held_out": len(apart), "set_aside": 1, "known": 2}
    assert said[-1] == (
        "new data: 30 pictures from feedback (1 known already), 30 pictures from /new (1 set aside, 1 known already); "
        f"{len(apart)} held out"
    )


def test_what_trains_decides_the_weights_and_what_is_held_out_does_not(tmp_path: Path) -> None:
    training, apart = divide(ITEMS, 0.2)
    plain = kept(tmp_path, *training, share=0.2)[0].deciding
    assert plain == kept(tmp_path, *ITEMS)[0].deciding
    assert plain != kept(tmp_path, *training[1:])[0].deciding
    assert kept(tmp_path, *apart)[0].deciding == {}


def test_running_again_changes_nothing(tmp_path: Path) -> None:
    assert kept(tmp_path, *ITEMS) == kept(tmp_path, *ITEMS)


def test_what_was_set_aside_is_listed_in_a_file_and_its_beginning_in_messages(tmp_path: Path) -> None:
    odd = [SetAside(EXTRA, f"{number}.txt", "it is odd") for number in range(13)]
    _, said = kept(tmp_path, *odd)
    listed = [json.loads(line) for line in (tmp_path / "set-aside.jsonl").read_text().splitlines()]
    assert listed == [{"source": EXTRA, "place": each.place, "reason": "it is odd"} for each in odd]
    assert said[0] == "new data set aside: /new/0.txt: it is odd"
    assert said[10] == f"new data set aside: and 3 more; all are listed in {tmp_path / 'set-aside.jsonl'}"
    kept(tmp_path, *ITEMS)
    assert not (tmp_path / "set-aside.jsonl").exists(), "nothing is set aside any more"


def test_files_that_no_run_has_used_for_a_week_are_removed(tmp_path: Path) -> None:
    old, _ = kept(tmp_path, *ITEMS[:20])
    long_ago = time.time() - RECLAIMED_AFTER - 60
    for path in tmp_path.iterdir():
        os.utime(path, (long_ago, long_ago))
    new, _ = kept(tmp_path, *ITEMS[20:], SetAside(EXTRA, "a", "it is odd"))
    reclaim(tmp_path)
    assert len(held_out(new)) > 0
    assert (tmp_path / "set-aside.jsonl").exists()
    with pytest.raises((OSError, DataError)):
        held_out(old)


def test_a_folder_that_does_not_exist_yet_has_nothing_to_remove(tmp_path: Path) -> None:
    reclaim(tmp_path / "nowhere")


@pytest.mark.parametrize(("what", "share"), [("training", 0.2), ("held-out", 0.8)])
def test_a_disk_too_full_for_a_pack_keeps_no_part_of_it(tmp_path: Path, what: str, share: float) -> None:
    whole, _ = kept(tmp_path / "whole", *ITEMS, share=share)
    [largest] = (tmp_path / "whole").glob(f"{what}-*")
    sentence = f"cannot write {tmp_path}/full/{largest.name}: it is larger than the limit for files"
    with room_for(largest.stat().st_size - 1), pytest.raises(StorageError, match=sentence):
        kept(tmp_path / "full", *ITEMS, share=share)
    left = {path.name: path.read_bytes() for path in (tmp_path / "full").iterdir()}
    assert largest.name not in left
    assert left.items() <= {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}.items()
    again, _ = kept(tmp_path / "full", *ITEMS, share=share)
    assert whole.new_data is not None
    assert again.new_data is not None
    assert again.new_data.account.sha256 == whole.new_data.account.sha256, "the next run packs the same"
