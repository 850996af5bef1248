"""`feedback list`, `accept` and `reject`: what a reviewer sees, and what a decision does."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from core.feedback import FeedbackFolder, FeedbackItem
from core.shipped import ROOT
from pipelines.cli.commands import app
from pipelines.new_data.item import NewItem
from pipelines.new_data.reviews import Decisions, Reviews
from tests.pipelines.new_data.new_items import items_of, mislabeled, written


class Desk:
    """A folder with four right pictures and two wrong ones, and the commands to review it."""

    def __init__(self, folder: Path) -> None:
        self.feedback, self.data_dir = FeedbackFolder(folder / "feedback"), folder / "data"
        self.right, self.wrong = items_of(written(4)), items_of(mislabeled(written(2, start=4)))
        for item in [*self.right, *self.wrong]:
            self.add(item)

    def add(self, item: NewItem) -> bool:
        received = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
        return self.feedback.add(FeedbackItem(digit=item.label, pixels=item.image.tobytes(), received=received))

    def run(self, *arguments: str) -> Result:
        options = ("--feedback", str(self.feedback.path), "--data-dir", str(self.data_dir))
        mirror = ("--mirror", (ROOT / "data" / "mnist").as_uri())
        return CliRunner().invoke(app, ["feedback", *arguments, *options, *mirror])

    def listed(self, *arguments: str) -> list[dict[str, Any]]:
        done = self.run("list", "--json", *arguments)
        assert done.exit_code == 0, done.stderr
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_list_holds_what_waits_and_with_all_everything(desk: Desk, tmp_path: Path) -> None:
    rows = desk.listed()
    assert {row["name"] for row in rows} == {item.name for item in desk.wrong}
    for row in rows:
        assert (row["status"], row["received"]) == ("contradicted", "2026-11-30T03:00:00+00:00")
        assert row["read"] != row["digit"]
        assert row["claimed"] < 0.1
    everything = desk.listed("--all", "--page", str(tmp_path / "page.html"))
    assert sorted(row["status"] for row in everything) == ["contradicted"] * 2 + ["trusted"] * 4
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count("<figure>") == 6
    assert f"--data-dir {desk.data_dir} --feedback {desk.feedback.path}" in page


def test_the_table_names_each_picture_and_why_it_is_held(desk: Desk) -> None:
    shown = " ".join(desk.run("list").stdout.split())
    for item in desk.wrong:
        assert f"{item.name[:12]} {item.label} " in shown
    assert shown.count("contradicted") == 2


def test_an_accepted_picture_waits_no_longer(desk: Desk) -> None:
    done = desk.run("accept", desk.wrong[0].name[:8])
    assert done.exit_code == 0, done.stderr
    assert "accepted: 1 picture" in done.stderr
    assert [row["name"] for row in desk.listed()] == [desk.wrong[1].name]


def test_a_rejection_is_replaced_by_a_later_acceptance(desk: Desk) -> None:
    done = desk.run("reject", "--all-held")
    assert done.exit_code == 0, done.stderr
    assert not desk.listed()
    statuses = {row["name"]: row["status"] for row in desk.listed("--all")}
    assert all(statuses[item.name] == "rejected" for item in desk.wrong)
    assert desk.run("accept", desk.wrong[0].name).exit_code == 0
    statuses = {row["name"]: row["status"] for row in desk.listed("--all")}
    assert [statuses[item.name] for item in desk.wrong] == ["trusted", "rejected"]


def test_reject_all_held_leaves_those_that_wait_for_their_company_alone(desk: Desk) -> None:
    more = items_of(mislabeled(written(4, start=6)))
    for item in more:
        desk.add(item)  # six of ten are wrong, so the four right ones are held with their source
    assert {row["status"] for row in desk.listed()} == {"contradicted", "source"}
    assert desk.run("reject", "--all-held").exit_code == 0
    assert Reviews(desk.data_dir).rejected() == {item.name for item in (*desk.wrong, *more)}
    assert not desk.listed()


def test_a_command_for_a_group_leaves_earlier_decisions_and_what_is_gone(desk: Desk) -> None:
    one, other = (item.name for item in desk.wrong)
    desk.run("reject", one)
    done = desk.run("accept", one, other, "0" * 12)
    assert done.exit_code == 0, done.stderr
    assert f"skipped: the opposite is decided about {one[:12]}; name it alone to change that" in done.stderr
    assert f"skipped: no new picture has a name that begins with {'0' * 12} any more" in done.stderr
    assert "accepted: 1 picture;" in done.stderr
    assert (Reviews(desk.data_dir).accepted(), Reviews(desk.data_dir).rejected()) == ({other}, {one})


def test_of_two_digits_for_one_picture_the_rejection_of_one_leaves_the_other(desk: Desk) -> None:
    [right], [wrong] = items_of(written(1, start=9)), items_of(mislabeled(written(1, start=9)))
    desk.add(right)
    desk.add(wrong)
    assert right.name not in {row["name"] for row in desk.listed("--all")}, "nobody knows which is right"
    assert desk.run("reject", wrong.name).exit_code == 0
    statuses = {row["name"]: row["status"] for row in desk.listed("--all")}
    assert statuses[right.name] == "trusted"


def test_an_acceptance_decides_between_two_digits_for_one_picture(desk: Desk) -> None:
    [right], [wrong] = items_of(written(1, start=9)), items_of(mislabeled(written(1, start=9)))
    desk.add(right)
    desk.add(wrong)
    refused = desk.run("accept", right.name, wrong.name)
    assert refused.exit_code == 1
    assert "are the same picture with two digits; accept the right one alone" in " ".join(refused.stderr.split())
    for chosen, other in ((wrong, right), (right, wrong)):
        done = desk.run("accept", chosen.name)
        assert "other digits for the same pictures are rejected: 1" in " ".join(done.stderr.split())
        statuses = {row["name"]: row["status"] for row in desk.listed("--all")}
        assert (statuses[chosen.name], statuses[other.name]) == ("trusted", "rejected")


def test_what_cannot_be_read_cannot_be_accepted(desk: Desk) -> None:
    name = desk.right[0].name
    (desk.feedback.path / f"{name}.json").write_bytes(b"{")
    done = desk.run("accept", name)
    assert done.exit_code == 1
    assert f"error: {name[:12]} cannot be accepted: " in done.stderr
    assert not Reviews(desk.data_dir).accepted()


def test_a_rejection_writes_nothing_to_the_folder_of_feedback(desk: Desk) -> None:
    before = sorted(desk.feedback.path.iterdir())
    assert desk.run("reject", desk.wrong[0].name).exit_code == 0
    assert sorted(desk.feedback.path.iterdir()) == before
    assert [row["name"] for row in desk.listed()] == [desk.wrong[1].name]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("accept", "abc"), "'abc' names no picture: expected at least 8 hexadecimal digits"),
        (("reject", "../../../etc"), "'../../../etc' names no picture"),
        (("accept", "00000000"), "no new picture has a name that begins with 00000000"),
        (("accept",), "name the pictures, or give --all-held, and not both"),
        (("reject", "00000000", "--all-held"), "name the pictures, or give --all-held, and not both"),
    ],
)
def test_a_name_that_names_nothing_is_one_sentence(desk: Desk, arguments: tuple[str, ...], sentence: str) -> None:
    done = desk.run(*arguments)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: {sentence}")


def test_a_decision_that_cannot_be_written_is_one_sentence(desk: Desk) -> None:
    desk.data_dir.mkdir()
    (desk.data_dir / "reviews").mkdir()
    (desk.data_dir / "reviews" / "accepted").symlink_to("nowhere")  # in the way of the folder of that name
    done = desk.run("accept", desk.wrong[0].name)
    assert done.exit_code == 1
    assert "cannot write the decision to" in done.stderr
    assert Reviews(desk.data_dir).decisions() == Decisions()


def test_without_any_new_picture_nothing_is_downloaded_and_nothing_waits(tmp_path: Path) -> None:
    options = ["--feedback", str(tmp_path / "none"), "--data-dir", str(tmp_path / "data")]
    done = CliRunner().invoke(app, ["feedback", "list", *options])
    assert (done.exit_code, done.stderr) == (0, "no picture waits for a decision, of 0 new ones\n")
    assert not (tmp_path / "data").exists()


def test_without_a_folder_the_error_says_how_to_name_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMERAL_FEEDBACK", "off")
    done = CliRunner().invoke(app, ["feedback", "list"])
    assert done.exit_code == 1
    assert done.stderr.startswith("error: there is no folder with new pictures; name it with --feedback")
