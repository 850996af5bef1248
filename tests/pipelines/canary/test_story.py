"""What became of a version as a canary, as `models show` tells it."""

from typer.testing import CliRunner

from pipelines.canary.challenger_alias import CHALLENGER
from pipelines.canary.story import story
from pipelines.cli.commands import app
from tests.pipelines.canary.stage import CANARY, CHAMPION, Stage


def told(stage: Stage, version: int = CANARY) -> list[str]:
    store = stage.repository
    return story(store.alias(CHALLENGER).history(), store.alias().history(), version)


def test_a_version_that_was_no_canary_has_no_story(stage: Stage):
    assert told(stage) == []
    stage.repository.promote(CANARY, by="ada", why="to look at it", alias=CHALLENGER)
    assert told(stage) == []


def test_each_time_as_a_canary_is_told_with_how_it_ended(stage: Stage):
    stage.begin()
    [now] = told(stage)
    assert now.startswith("Since 20")
    assert now.endswith("UTC, it has been a canary beside version 1.")
    stage.repository.promote(CHAMPION, by="a test", why="the canary of version 2 is over: it fails", alias=CHALLENGER)
    [over] = told(stage)
    assert over.endswith(
        "it was a canary beside version 1 (the challenger is version 1 since): the canary of version 2 is over: it "
        "fails"
    )
    stage.begin()
    stage.repository.promote(CANARY, by="a test", why="it did no worse")
    assert told(stage)[0] == over
    assert "it was a canary beside version 1, until it became the champion at 20" in told(stage)[1]
    assert told(stage, CHAMPION) == []


def test_the_command_that_shows_a_version_tells_it(stage: Stage):
    shown = stage.publish(seed=5, documents={"card.md": b"# A card"})
    stage.begin(shown)
    done = CliRunner().invoke(app, ["models", "show", str(shown), "--repository", str(stage.folder / "models")])
    assert done.exit_code == 0, done.stderr
    assert "## Canary\n\nSince 20" in done.stdout
