"""What an administrator of the service has accepted is trained on, unless the training side has decided otherwise."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.labeled import Labeled
from core.feedback import FeedbackFolder, FeedbackItem
from pipelines import provenance
from pipelines.new_data.feedback import read_feedback
from pipelines.new_data.item import NewItem
from pipelines.new_data.reviews import Decisions, Reviews
from pipelines.order import Order
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef
from pipelines.retrain import steps, training

from .given import collected, item
from .new_items import items_of, mislabeled, written


def accepted(number: int, shows: int) -> NewItem:
    found = item(number, shows, source="feedback /sent")
    return NewItem.of(found.image.tobytes(), shows, found.source, f"{found.name}.json", accepted=True)


def decided(*, accept: tuple[NewItem, ...] = (), reject: tuple[NewItem, ...] = ()) -> Decisions:
    return Decisions(frozenset(one.name for one in accept), frozenset(one.name for one in reject))


def test_what_is_accepted_in_the_service_is_contradicted_by_nobody() -> None:
    right, wrong = accepted(1, shows=3), item(1, shows=7)
    found = collected(right, wrong)
    assert found.items == (right,)
    assert [each.name for each in found.set_aside] == [wrong.name]


def test_of_one_picture_the_digit_that_the_training_side_accepts_comes_first() -> None:
    in_service, here = accepted(1, shows=3), item(1, shows=7)
    found = collected(in_service, here, decided=decided(accept=(here,)))
    assert found.items == (here,)
    assert found.contradicted == (in_service,)


def test_what_the_training_side_rejects_contradicts_nothing_though_it_is_accepted_in_the_service() -> None:
    in_service, here = accepted(1, shows=3), item(1, shows=7)
    found = collected(in_service, here, decided=decided(reject=(in_service,)))
    assert set(found.items) == {in_service, here}
    assert found.set_aside == ()


@pytest.fixture
def folder(tmp_path: Path) -> FeedbackFolder:
    return FeedbackFolder(tmp_path / "feedback")


@pytest.fixture
def roomy(recipe: Recipe) -> Recipe:
    """The small recipe, with the judge, without caps and without a share that is held out."""
    trust = recipe.data.trust.model_copy(update={"cap": 1.0, "source_cap": 1.0, "digit_cap": 1.0})
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"trust": trust, "held_out_share": 0.0})})


def send(folder: FeedbackFolder, images: Labeled) -> list[str]:
    """Send pictures with these digits, and give the names of the items."""
    sent = [
        FeedbackItem(digit=one.label, pixels=one.image.tobytes(), received="2026-11-30T00:00Z")  # type: ignore[arg-type]
        for one in items_of(images)
    ]
    for one in sent:
        folder.add(one)
    return [one.name for one in sent]


def test_an_unchanged_retraining_notices_what_was_accepted_since_and_trains_on_it(
    dataset: DatasetRef, roomy: Recipe, folder: FeedbackFolder, tmp_path: Path
) -> None:
    order = Order(data_dir=tmp_path / "data", feedback=folder.path)

    def fingerprint() -> tuple[str, int]:
        found = steps.gather(order, roomy, dataset)
        return provenance.fingerprint(found.deciding, roomy), len(training.train_split(found, roomy)[1])

    without = fingerprint()
    [bad] = send(folder, mislabeled(written(1)))
    assert fingerprint() == without, "the judge contradicts it"
    folder.accept(bad)
    with_it = fingerprint()
    assert with_it[0] != without[0]
    assert with_it[1] == without[1] + 1
    assert fingerprint() == with_it, "and now nothing has changed again"
    Reviews(order.data_dir).reject([bad])
    assert fingerprint() == without, "a decision in the data folder comes first"
    Reviews(order.data_dir).accept([bad])
    assert fingerprint() == with_it
    folder.discard(bad)
    assert fingerprint() == without


def test_an_accepted_item_counts_as_decided_by_a_person(
    dataset: DatasetRef, roomy: Recipe, folder: FeedbackFolder, tmp_path: Path
) -> None:
    names = send(folder, mislabeled(written(3)))
    folder.accept(names[0])
    found = steps.gather(Order(data_dir=tmp_path / "data", feedback=folder.path), roomy, dataset)
    assert found.trusted is not None
    assert (found.trusted.accepted, found.trusted.by_reviewers, found.trusted.left_out) == (1, 1, {"contradicted": 2})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda at: at.mkdir(),
        os.mkfifo,
        lambda at: at.symlink_to(at.name),
        lambda at: at.symlink_to("/dev/zero"),
        lambda at: at.write_bytes(bytes(5000)),
    ],
)
def test_what_is_no_mark_stops_nothing_and_accepts_nothing(
    folder: FeedbackFolder, spoil: Callable[[Path], object]
) -> None:
    odd, good = send(folder, written(2))
    folder.accept(good)
    spoil(folder.path / "accepted" / odd)
    found = {each.name: each for each in read_feedback(folder.path, print)}
    assert isinstance(found[odd], NewItem)
    assert isinstance(found[good], NewItem)
    assert (found[odd].accepted, found[good].accepted) == (False, True)


@pytest.mark.parametrize("spoil", [os.mkfifo, lambda at: at.symlink_to(at.name), lambda at: at.write_text("a file")])
def test_what_lies_in_the_place_of_all_marks_is_said_and_stops_nothing(
    folder: FeedbackFolder, spoil: Callable[[Path], object]
) -> None:
    [name] = send(folder, written(1))
    spoil(folder.path / "accepted")
    said: list[str] = []
    [found] = read_feedback(folder.path, said.append)
    assert isinstance(found, NewItem)
    assert (found.name, found.accepted) == (name, False)
    [line] = said
    assert line.startswith(f"feedback: what was accepted with the service does not count: {folder.path}/accepted: a ")
