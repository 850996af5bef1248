"""Caps on new pictures: however many are offered, MNIST's own images stay the great majority of those that train."""

from collections import Counter
from collections.abc import Sequence, Set

from pipelines.new_data.item import NewItem
from pipelines.new_data.rules import TrustSection


def over_the_caps(
    items: Sequence[NewItem], preferred: Set[str], rule: TrustSection, train_images: int
) -> dict[str, str]:
    """The items that are too many, by name, and the cap that each exceeds.

    What is taken is decided by the items' names, which are digests: the same items give the same choice in any order
    and on any machine, neither the first nor the last sender is favored, and one item more changes the choice little.

    Args:
        items: Those that are trusted.
        preferred: The names of the items that people have accepted; they come first.
        rule: The caps, as shares of the training images.
        train_images: How many images of the data set train.
    """
    whole, each_source, each_digit = (
        int(share * train_images) for share in (rule.cap, rule.source_cap, rule.digit_cap)
    )
    taken: Counter[str | int | None] = Counter()  # by source, by digit, and in all: None
    over: dict[str, str] = {}
    for item in sorted(items, key=lambda item: (item.name not in preferred, item.name)):
        limits = (
            (None, whole, f"new pictures are at most {whole:,} (data.trust.cap)"),
            (item.source, each_source, f"pictures of one source are at most {each_source:,} (data.trust.source_cap)"),
            (item.label, each_digit, f"new pictures of one digit are at most {each_digit:,} (data.trust.digit_cap)"),
        )
        reached = [words for key, most, words in limits if taken[key] >= most]
        if reached:
            over[item.name] = reached[0]
        else:
            taken.update(key for key, _, _ in limits)
    return over
