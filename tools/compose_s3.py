"""The profile `s3`: versions are published to a bucket and served from it, and the service outlives the store."""

from compose_basics import DIGIT, PICTURE
from compose_project import ADDRESS, ROOT, calls_from_outside, champion, compose, inside, kill, versions, wait_for
from compose_report import Part, Probe

from service.client import Recognizer


def use_the_bucket(probe: Probe) -> None:
    """Version 1 was published to the bucket, and the service answers with it."""
    for name in ("scheduler", "service"):
        place = inside(name, "printenv", "NUMERAL_REPOSITORY").strip()
        probe.check(place == "s3://models/digits", f"{name} has its repository in the bucket", place)
        found = inside(name, "ls", "/models")
        probe.check(found == "", f"nothing lies in the folder /models of {name}", found)
    with Recognizer(ADDRESS) as client:
        wait_for(lambda: client.recognize(ROOT / PICTURE).model_version == champion(), "the champion answers")
        reading = client.recognize(ROOT / PICTURE)
    probe.check(reading.digit == DIGIT, f"version {reading.model_version} answers from the bucket", reading)
    inside("scheduler", "python", "-m", "pipelines", "models", "verify")
    probe.check(good=True, sentence="every file in the bucket is as it was published")


def lose_the_store(probe: Probe) -> None:
    """While the store does not answer, the service does; a service that is started anew finds the champion again."""
    serving = champion()
    with calls_from_outside(ROOT / PICTURE) as calls:
        compose("pause", "s3")
        reached = len(calls.versions)
        wait_for(lambda: len(calls.versions) > reached + 500, "calls go on without the store")
        compose("unpause", "s3")
    probe.check(
        not calls.failures, f"the store hangs, and none of {len(calls.versions)} calls fails", calls.failures[:3]
    )
    kill("service")
    with Recognizer(ADDRESS) as client:
        wait_for(lambda: client.recognize(ROOT / PICTURE).model_version == serving, "the champion answers")
    probe.check(good=True, sentence=f"the service is killed, and loads version {serving} from the bucket again")
    number = len(versions())
    probe.check(number > 0, f"{number} versions are in the bucket", number)


PARTS: list[Part] = [
    ("The repository is a bucket", use_the_bucket),
    ("The store hangs, and the service is killed", lose_the_store),
]
