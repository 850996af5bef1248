"""`sweep` as people run it: real data, a published challenger, a stop in between, and plain errors."""

import signal

from core.artifact.repository import Repository

QUICK = ("--set", "train.epochs=1", "--set", "train.batch_size=500", "--set", "model.layers.0.units=16")
SPACE = "[train.learning_rate]\nlow = 0.05\nhigh = 1.0\nlog = true\n"


def test_the_best_mean_becomes_the_challenger_and_the_champion_stays(make_workshop, tmp_path):
    workshop, space = make_workshop(), tmp_path / "space.toml"
    space.write_text(SPACE)
    command = ("sweep", "--space", str(space), *QUICK, "--trials", "2", "--workers", "1", "--json")
    swept = workshop.run("pipelines", *command).json
    published, repository = swept["published"], Repository(str(workshop.repository))
    assert repository.alias("challenger").target() == published["version"] == 1
    assert repository.alias().target() is None
    manifest = repository.manifest(1)
    best = swept["finalists"][0]
    seed = best["seeds"].index(published["seed"])
    assert manifest.files["weights.safetensors"].sha256 == best["weights_sha256"][seed]
    assert sorted(best["losses"])[1] == best["losses"][seed]
    assert (published["promote"], published["verdict"]) == (manifest.verdict.promote, manifest.verdict.reason)

    again = workshop.run("pipelines", *command)
    assert again.json["trials"] == swept["trials"]
    assert again.json["published"] == published
    assert "nothing to train" in again.stderr
    assert len(repository.alias("challenger").history()) == 1


def test_a_sweep_that_is_interrupted_says_so_in_a_sentence_and_goes_on(make_workshop, tmp_path):
    workshop, space = make_workshop(), tmp_path / "space.toml"
    space.write_text(SPACE)
    command = ("sweep", "--space", str(space), *QUICK, "--workers", "1", "--no-publish", "--trials")
    with workshop.start("pipelines", *command, "500", stderr=-1) as sweep:
        said = iter(sweep.stderr.readline, "")
        assert any(line.startswith("trial 0: complete") for line in said)
        sweep.send_signal(signal.SIGINT)
        rest = sweep.stderr.read()
    assert sweep.returncode == 128 + signal.SIGINT
    assert rest.splitlines()[-1].endswith("of 500 trials have ended; run the same command again to go on")
    assert "Traceback" not in rest
    more = workshop.run("pipelines", *command, "1", "--json")
    assert "the sweep goes on" in more.stderr
    assert more.json["trials"][0]["own"]


def test_mistakes_end_in_one_sentence_before_anything_is_downloaded(make_workshop, tmp_path):
    workshop, space = make_workshop(), tmp_path / "space.toml"
    space.write_text("[train.learning_rate]\nlow = 2\nhigh = 1\n")
    ended = workshop.run("pipelines", "sweep", "--space", str(space))
    assert ended.status == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        "error: space.toml: train.learning_rate: found low = 2 and high = 1, expected low below high\n"
    )
    space.write_text(SPACE)
    ended = workshop.run("pipelines", "sweep", "--space", str(space), "--address", "tcp://127.0.0.1:1")
    assert "found --runner local, expected --runner dask with an address" in ended.stderr
    assert not (workshop.data_dir / "mnist").exists()
