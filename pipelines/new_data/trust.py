"""Which new pictures are trusted: a pure decision on what a judge reads in them and what people have decided.

Anyone who may send feedback may send a picture of a 7 and say that it is a 1. Such a picture is not trained on, and
neither are the others of its source if there are many like it: some wrong ones will look right to any judge.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from pipelines.new_data.caps import over_the_caps
from pipelines.new_data.item import NewItem
from pipelines.new_data.judgement import Judgement
from pipelines.new_data.rules import TrustSection

FEWEST_WRONG = 5
"""Wrong pictures from which on they speak against their group. One or two in a small group say nothing about it."""


class Reason(StrEnum):
    """Why a picture is not trusted."""

    CONTRADICTED = "contradicted"
    NO_DIGIT = "no digit"
    SOURCE = "source"
    REJECTED = "rejected"
    CAP = "cap"

    @property
    def held(self) -> bool:
        """Whether it waits for a person to decide."""
        return self in (Reason.CONTRADICTED, Reason.NO_DIGIT, Reason.SOURCE)


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A picture that is not trusted: it is neither trained on nor held out.

    Attributes:
        item: The picture.
        reason: Why, as one of a few kinds.
        words: Why, for people.
    """

    item: NewItem
    reason: Reason
    words: str


@dataclass(frozen=True, eq=False)
class Sorted:
    """New pictures, sorted into those that are trusted and the others; both in the order in which they were given.

    Attributes:
        accepted: To be trained on, but for those that `pipelines.new_data.held_out` holds out.
        left_out: The others.
        by_reviewers: How many of those accepted a person has accepted.
        held_groups: A sentence about each source, or digit of a source, that is held as a whole.
    """

    accepted: tuple[NewItem, ...]
    left_out: tuple[LeftOut, ...]
    by_reviewers: int = 0
    held_groups: tuple[str, ...] = ()

    @property
    def held(self) -> tuple[LeftOut, ...]:
        """Those that wait for a person to decide."""
        return tuple(one for one in self.left_out if one.reason.held)

    @property
    def counts(self) -> dict[str, int]:
        """How many were left out, by reason."""
        return dict(Counter(str(one.reason) for one in self.left_out))


def trust(
    items: Sequence[NewItem],
    judgements: Mapping[str, Judgement],
    rule: TrustSection,
    train_images: int,
    *,
    accepted: Set[str] = frozenset(),
    rejected: Set[str] = frozenset(),
) -> Sorted:
    """Sort new pictures.

    What a person has decided holds, except that caps apply to all. Of the others, a picture is held if the judge
    contradicts its digit with confidence, or sees no digit; and so are all others of a group, if too large a share of
    the group is. A group is a source, or the pictures of a source that are said to show the same digit.

    Args:
        items: Without repetition.
        judgements: By the items' names. An item without one is not held for itself.
        rule: The thresholds.
        train_images: How many images of the data set train.
        accepted: The names that people have accepted.
        rejected: The names that people have rejected; this goes before `accepted`.
    """
    aside: dict[str, tuple[Reason, str]] = {}
    open_items = []
    for item in items:
        if item.name in rejected:
            aside[item.name] = Reason.REJECTED, "a reviewer has rejected it"
        elif item.name not in accepted:
            open_items.append(item)
    wrong = {item.name: found for item in open_items if (found := _objection(judgements.get(item.name), item, rule))}
    aside |= wrong
    groups = []
    for words, members in _suspicious(open_items, wrong, rule.source_share):
        groups.append(words)
        for item in members:
            aside.setdefault(item.name, (Reason.SOURCE, words))
    trusted = [item for item in items if item.name not in aside]
    over = over_the_caps(trusted, accepted, rule, train_images)
    aside |= {name: (Reason.CAP, words) for name, words in over.items()}
    taken = tuple(item for item in trusted if item.name not in over)
    return Sorted(
        accepted=taken,
        left_out=tuple(LeftOut(item, *aside[item.name]) for item in items if item.name in aside),
        by_reviewers=sum(item.name in accepted for item in taken),
        held_groups=tuple(groups),
    )


def _objection(found: Judgement | None, item: NewItem, rule: TrustSection) -> tuple[Reason, str] | None:
    """What the judge has against a picture, if anything."""
    if found is None:
        return None
    if found.rejected:
        return Reason.NO_DIGIT, "the judge sees no digit in it"
    if found.claimed < rule.contradicted_below:
        return Reason.CONTRADICTED, (
            f"said to show {item.label}, the judge reads {found.read} ({found.confidence:.1%} sure) "
            f"and gives {item.label} {found.claimed:.1%}"
        )
    return None


def _suspicious(
    items: Sequence[NewItem], wrong: Set[str] | Mapping[str, object], most: float
) -> Iterable[tuple[str, list[NewItem]]]:
    """The groups of which too large a share is wrong, sources first, each with a sentence about it."""
    groups: defaultdict[tuple[str, int | None], list[NewItem]] = defaultdict(list)
    for item in items:
        groups[item.source, None].append(item)
        groups[item.source, item.label].append(item)
    whole: set[str] = set()
    for (source, digit), members in sorted(groups.items(), key=lambda entry: (entry[0][1] is not None, str(entry[0]))):
        count = sum(item.name in wrong for item in members)
        if source in whole or count < FEWEST_WRONG or count <= most * len(members):
            continue
        if digit is None:
            whole.add(source)
        what = source if digit is None else f"{source}, said to show {digit}"
        yield (
            f"{what}: {count:,} of {len(members):,} pictures ({count / len(members):.0%}) are contradicted or show no "
            f"digit, more than {most:.0%} (data.trust.source_share), so none of the others is trusted either",
            members,
        )
