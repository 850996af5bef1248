"""Which new pictures are admitted to the training: people's decisions, the judge's answers and the rules, together."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.artifact.trusted import Trusted, Validated
from core.data.labeled import Labeled
from pipelines.new_data import validation
from pipelines.new_data.held_out import labeled
from pipelines.new_data.item import NewItem, counted
from pipelines.new_data.judge import Judge, find_judge
from pipelines.new_data.judgement import Judgement, judged
from pipelines.new_data.reviews import Reviews
from pipelines.new_data.trust import Sorted, trust
from pipelines.recipe import Recipe
from pipelines.references import DatasetRef, read_mnist
from pipelines.retrain import training


@dataclass(frozen=True, eq=False)
class Sifted:
    """New pictures with all that is known about them.

    Attributes:
        items: All of them.
        judge: Who has judged them; None if nobody has.
        judgements: By the items' names; empty without a judge.
        found: Which are trusted, and which are not.
    """

    items: Sequence[NewItem]
    judge: Judge | None
    judgements: Mapping[str, Judgement]
    found: Sorted

    @property
    def record(self) -> Trusted | None:
        """For the manifest; None if nothing was offered."""
        if not self.items:
            return None
        return Trusted(
            judge=self.judge.description if self.judge else None,
            judge_sha256=self.judge.sha256 if self.judge else None,
            offered=len(self.items),
            accepted=len(self.found.accepted),
            by_reviewers=self.found.by_reviewers,
            left_out=self.found.counts,
            held_groups=self.found.held_groups[:1000],
        )


@dataclass(frozen=True, eq=False)
class Admission:
    """What may be learned from in addition to MNIST, and what the manifest records about it.

    Attributes:
        items: The trusted pictures, in the order in which they were given; there may be none. A share of them is held
            out: see `pipelines.new_data.held_out`.
        trusted: How they were sorted; None if nothing was offered.
        validated: What the validation of all data has found.
    """

    items: tuple[NewItem, ...]
    trusted: Trusted | None
    validated: Validated


def sift(
    items: Sequence[NewItem],
    dataset: DatasetRef,
    recipe: Recipe,
    data_dir: Path,
    pretrained: str | None,
    say: Callable[[str], None],
) -> Sifted:
    """Sort new pictures into those that are trusted and the others.

    Args:
        items: All new pictures that can be read, without repetition.
        dataset: MNIST, which bounds their number, and trains the judge if no version ships.
        recipe: Its `data.trust` is the rule.
        data_dir: Where decisions, answers of the judge and a trained judge are kept.
        pretrained: The repository of the version that ships; None for none.
        say: Receives each message.

    Raises:
        ReviewError: People's decisions cannot be read.
        TrainingError: A judge had to be trained and could not be.
    """
    rule = recipe.data.trust
    judge, judgements = None, {}
    if items and rule.judge != "none":
        judge = find_judge(rule.judge, pretrained, dataset, recipe, data_dir, say)
        judgements = judged(items, judge, data_dir / "judges")
    decided = Reviews(data_dir).decisions()
    train_images = dataset.train_images - recipe.data.validation_images
    accepted = decided.accepted | {item.name for item in items if item.accepted}
    found = trust(items, judgements, rule, train_images, accepted=accepted, rejected=decided.rejected)
    return Sifted(items, judge, judgements, found)


def admit(
    items: Sequence[NewItem],
    dataset: DatasetRef,
    recipe: Recipe,
    data_dir: Path,
    pretrained: str | None,
    say: Callable[[str], None],
) -> Admission:
    """Sort new pictures, and validate all data before it is trained on.

    Args:
        items: As for `sift`, and so are the others.
        dataset: MNIST.
        recipe: Its `data.trust` and `data.validation` are the rules.
        data_dir: Where decisions and judgements are kept.
        pretrained: The repository of the version that ships; None for none.
        say: Receives each message.

    Raises:
        ReviewError: People's decisions cannot be read.
        TrainingError: A judge had to be trained and could not be.
        DatasetError: MNIST itself is at fault.
    """
    sifted = sift(items, dataset, recipe, data_dir, pretrained, say)
    for line in sentences(sifted):
        say(line)
    mnist, rows = read_mnist(dataset.files), training.split(dataset, recipe).train
    accepted = sifted.found.accepted
    validated = validation.validate(
        Labeled(mnist.train_images[rows], mnist.train_labels[rows]), labeled(accepted), recipe.data.validation
    )
    for line in (validation.sentence(validated), *validated.findings):
        say(line)
    return Admission(() if validated.verdict == "set aside" else accepted, sifted.record, validated)


def sentences(sifted: Sifted) -> list[str]:
    """What has become of new pictures, as messages."""
    if not sifted.items:
        return []
    found, judge = sifted.found, sifted.judge
    who = f"judge: {judge.description}" if judge else "no judge (data.trust.judge)"
    lines = [f"trust: {len(found.accepted):,} of {len(sifted.items):,} new pictures are trusted; {who}"]
    lines += [f"held as a whole: {group}" for group in found.held_groups]
    if found.held:
        reasons = Counter(str(one.reason) for one in found.held)
        listed = ", ".join(f"{reason}: {count:,}" for reason, count in sorted(reasons.items()))
        lines.append(
            f"held for review: {counted(len(found.held))} ({listed}); look at them with "
            "python -m pipelines feedback list --page held.html"
        )
    over = Counter(one.words for one in found.left_out if not one.reason.held)
    return lines + [f"left out: {counted(count)}: {words}" for words, count in sorted(over.items())]
