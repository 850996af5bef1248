"""docs/canary.md and its compose file: the settings, the table of keys and its numbers are those of the code."""

import re

import yaml

from pipelines.promotion.anytime import difference
from pipelines.sections import CanarySection
from pipelines.settings import Settings
from service.settings import Settings as ServiceSettings
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/canary.md").read_text("utf-8")
SHARE = 0.1


def rows(heading: str) -> list[list[str]]:
    """The rows of the table whose first column has this heading, without markup."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in table]


def test_the_table_of_keys_gives_the_defaults_of_the_code():
    shown = {name: float(default) for name, default, _ in rows("key of the recipe, in `[promotion.canary]`")}
    assert shown == CanarySection().model_dump()


def test_the_compose_file_sets_settings_that_exist_and_connects_the_two_containers():
    assert "deploy/compose.canary.yml" in PAGE
    file = yaml.safe_load((ROOT / "deploy/compose.canary.yml").read_text("utf-8"))
    known = {"service": ServiceSettings.model_fields, "scheduler": Settings.model_fields}
    for name, service in file["services"].items():
        assert {f"NUMERAL_{field.upper()}" for field in known[name]} >= service["environment"].keys()
        assert service["networks"] == ["metrics"]  # besides those of docker-compose.yml
    port = file["services"]["service"]["environment"]["NUMERAL_METRICS_PORT"]
    assert file["services"]["scheduler"]["environment"]["NUMERAL_CANARY_SERVICES"] == f"service:{port}"
    assert set(file["networks"]) == {"metrics"}


def bounds(count: int, canary: float, champion: float, error: float) -> tuple[float, float]:
    """Of the difference of the shares, if they are exactly these."""
    beside = round(count * (1 - SHARE) / SHARE)
    return difference((round(count * canary), count), (round(beside * champion), beside), error)


def share(text: str) -> float:
    return {"none": 0.0, "all": 1.0}.get(text) or (float(text.removesuffix("%")) / 100 if "%" in text else 0.0)


def test_the_numbers_of_pictures_are_those_that_the_bounds_need():
    allowed, found = CanarySection().max_rejection_rise, rows("rejected by both")
    assert len(found) == 5
    for both, enough, _, worse, least in found:
        pictures = int(enough.replace(",", ""))
        assert bounds(pictures, share(both), share(both), 0.05)[1] <= allowed, both
        assert bounds(round(pictures * 0.9), share(both), share(both), 0.05)[1] > allowed, both
        pictures = int(least.replace(",", ""))
        assert bounds(pictures, share(worse), 0.02, 0.05 / 3)[0] > allowed, worse
        assert bounds(round(pictures * 0.8), share(worse), 0.02, 0.05 / 3)[0] <= allowed, worse
    number = re.search(r"That no image failed speaks for it after ([\d,]+) pictures", PAGE)
    assert number is not None
    failures = int(number[1])
    assert bounds(failures, 0, 0, 0.05)[1] <= CanarySection().max_failure_rise < bounds(failures - 20, 0, 0, 0.05)[1]
