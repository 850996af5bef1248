"""Which new pictures are trusted: by the judge, by their company, and by people."""

import pytest

from pipelines.new_data.judgement import Judgement
from pipelines.new_data.rules import TrustSection
from pipelines.new_data.trust import Reason, trust
from tests.pipelines.new_data.new_items import agreeing, contradicting, plain

RULE = TrustSection()
TRAIN = 55_000


def test_a_picture_is_held_if_the_judge_contradicts_its_digit_with_confidence() -> None:
    good, bad = plain(7, 1), plain(7, 2)
    found = trust([good, bad], agreeing([good]) | contradicting([bad]), RULE, TRAIN)
    assert found.accepted == (good,)
    [held] = found.held
    assert (held.item, held.reason) == (bad, Reason.CONTRADICTED)
    assert held.words == "said to show 7, the judge reads 8 (98.0% sure) and gives 7 1.0%"


@pytest.mark.parametrize(("claimed", "trusted"), [(0.09, False), (0.1, True), (0.4, True)])
def test_doubt_alone_holds_no_picture(claimed: float, trusted: bool) -> None:
    item = plain(7, 1)
    found = trust([item], {item.name: Judgement(1, 1 - claimed, claimed, rejected=False)}, RULE, TRAIN)
    assert bool(found.accepted) is trusted


def test_a_picture_in_which_the_judge_sees_no_digit_is_held() -> None:
    item = plain(7, 1)
    found = trust([item], {item.name: Judgement(7, 0.9, 0.9, rejected=True)}, RULE, TRAIN)
    assert [held.reason for held in found.held] == [Reason.NO_DIGIT]


def test_a_source_with_many_wrong_pictures_is_held_as_a_whole() -> None:
    good, bad = [plain(n % 10, n) for n in range(80)], [plain(n % 10, 100 + n) for n in range(20)]
    other = plain(3, 500, "extra /archive")
    judgements = agreeing([*good, other]) | contradicting(bad)
    found = trust([*good, *bad, other], judgements, RULE, TRAIN)
    assert found.accepted == (other,), "another source is not to blame"
    assert found.counts == {"contradicted": 20, "source": 80}
    [words] = found.held_groups
    assert words.startswith("feedback /somewhere: 20 of 100 pictures (20%) are contradicted or show no digit")


def test_a_digit_with_many_wrong_pictures_is_held_without_the_rest_of_its_source() -> None:
    good = [plain(n % 10, n) for n in range(500)]
    bad = [plain(7, 1000 + n) for n in range(20)]
    found = trust([*good, *bad], agreeing(good) | contradicting(bad), RULE, TRAIN)
    assert {item.label for item in found.accepted} == {0, 1, 2, 3, 4, 5, 6, 8, 9}
    assert found.held_groups[0].startswith("feedback /somewhere, said to show 7: 20 of 70 pictures")


def test_one_wrong_picture_among_three_does_not_hold_the_others() -> None:
    good, bad = [plain(1, 1), plain(2, 2)], plain(3, 3)
    found = trust([*good, bad], agreeing(good) | contradicting([bad]), RULE, TRAIN)
    assert found.accepted == tuple(good)


def test_what_a_person_has_decided_holds_against_judge_and_company() -> None:
    items = [plain(n % 10, n) for n in range(20)]
    names = [item.name for item in items]
    found = trust(
        items, contradicting(items), RULE, TRAIN, accepted={names[0], names[1]}, rejected={names[1], names[2]}
    )
    assert found.accepted == (items[0],), "a rejection goes before an acceptance"
    assert found.by_reviewers == 1
    assert found.counts == {"rejected": 2, "contradicted": 17}


def test_pictures_that_are_decided_no_longer_speak_against_their_source() -> None:
    good, bad = [plain(n % 10, n) for n in range(40)], [plain(n % 10, 100 + n) for n in range(10)]
    judgements = agreeing(good) | contradicting(bad)
    assert not trust([*good, *bad], judgements, RULE, TRAIN).accepted
    found = trust([*good, *bad], judgements, RULE, TRAIN, rejected={item.name for item in bad})
    assert found.accepted == tuple(good)


def test_without_a_judge_nothing_is_held_but_the_caps_apply() -> None:
    items = [plain(n % 10, n) for n in range(30)]
    found = trust(items, {}, RULE, 100)
    assert not found.held
    assert len(found.accepted) == 10, "a tenth of the training images from one source"
