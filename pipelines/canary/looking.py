"""One look at a canary: asks the services, adds up what they have counted, and decides."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from core.artifact.alias import Move
from core.artifact.repository import Repository
from core.errors import ConfigError
from pipelines.canary.asking import ServiceSilentError, ask
from pipelines.canary.challenger_alias import CHALLENGER, Canary, astray_in, canary_in
from pipelines.canary.deciding import Deciding
from pipelines.canary.hindrance import failed_there, hindrance
from pipelines.canary.looked import Asked, Look
from pipelines.canary.metrics_page import Counts, MetricsPage
from pipelines.canary.tally import tallying
from pipelines.canary.weighing import Weighed, weigh
from pipelines.order import Order
from pipelines.recipe import load_recipe

__all__ = ["Looker"]

_AT_ONCE = 8
"""Services that are asked at the same time."""


class Looker:
    """Looks at the canary of a repository, again and again. Any number of them may look at the same one."""

    def __init__(
        self,
        order: Order,
        say: Callable[[str], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Nothing is looked at yet.

        Args:
            order: Says where, which services are asked, and by which recipe's rules.
            say: Receives each message.
            clock: Gives the time.

        Raises:
            ConfigError: It names no services, or no recipe.
        """
        if not order.canary_services:
            raise ConfigError(
                "no service is named that could be asked about a canary; expected --canary-service or "
                "NUMERAL_CANARY_SERVICES, such as service:9090"
            )
        self._order = order
        self._rule = load_recipe(order.recipe, order.overrides).promotion
        self._deciding = Deciding(order, self._rule, say)
        self._clock = clock

    def look(self) -> Look:
        """Look once, and do what is to be done.

        Raises:
            NumeralError: The repository or the data folder cannot be read or written; nothing was decided.
        """
        store = self._order.store
        if not store.exists():
            return Look(outcome="none", words=f"{store.location} does not exist yet")
        moves, champions = store.alias(CHALLENGER).history(), store.alias().history()
        canary = canary_in(moves, champions)
        if canary is None:
            if left := astray_in(moves, champions):
                return self._deciding.follow(left)
            return Look(outcome="none", words=_none(moves, champions))
        champion = champions[-1].version if champions else None
        if champion != canary.beside:
            return self._deciding.again(canary)
        return self._compare(store, canary)

    def _compare(self, store: Repository, canary: Canary) -> Look:
        pages, asked = self._ask(canary)
        if failures := list(filter(None, (failed_there(page, canary, where) for where, page in pages.items()))):
            found = self._deciding.stop(canary, "; ".join(failures))
            return found.model_copy(update={"services": asked})
        with tallying(self._order.data_dir, canary) as book:
            tally = book.tally
            for address, page in pages.items():
                tally = tally.plus(address, page)
            if pages:
                book.write(tally)
        weighed = self._weigh(store, canary, tally.counted)
        match weighed.outcome:
            case "forward":
                found = self._deciding.forward(canary, weighed.words)
            case "stop":
                found = self._deciding.stop(canary, weighed.words)
            case _:
                troubles = "; ".join(each.trouble for each in asked if each.trouble)
                words = f"version {canary.version} stays a canary: {weighed.words}"
                found = Look(outcome="waiting", words="; ".join(filter(None, (words, troubles))))
        counts = {"pictures": tally.counted[0].pictures, "champion_pictures": tally.counted[1].pictures}
        about = {"version": canary.version, "champion": canary.beside, "since": canary.begun}
        return found.model_copy(update={**about, **counts, "mishaps": weighed.mishaps, "services": asked})

    def _ask(self, canary: Canary) -> tuple[dict[str, MetricsPage], tuple[Asked, ...]]:
        """What each service shows, by address, and what is to be said of each."""
        versions = (canary.version, canary.beside)

        def one(address: str) -> MetricsPage | str:
            try:
                return ask(address, versions)
            except ServiceSilentError as error:
                return str(error)

        addresses = self._order.canary_services
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = dict(zip(addresses, pool.map(one, addresses), strict=True))
        pages = {address: page for address, page in answers.items() if isinstance(page, MetricsPage)}
        asked = tuple(
            Asked(address=address, answered=False, trouble=answer)
            if isinstance(answer, str)
            else Asked(address=address, answered=True, trouble=hindrance(answer, canary, address) or None)
            for address, answer in answers.items()
        )
        return pages, asked

    def _weigh(self, store: Repository, canary: Canary, counted: tuple[Counts, Counts]) -> Weighed:
        minutes = (self._clock() - canary.begun).total_seconds() / 60
        refusing = (store.manifest(version).rejection is not None for version in (canary.version, canary.beside))
        return weigh(*counted, max(0.0, minutes), self._rule.canary, self._rule.confidence, both_refuse=all(refusing))


def _none(moves: Sequence[Move], champions: Sequence[Move]) -> str:
    """That no version is a canary; and, if a person or a sweep has pointed the alias somewhere, that this is theirs."""
    if not moves or any(move.version == moves[-1].version for move in champions):
        return "no version is a canary"
    last = moves[-1]
    return (
        f"no version is a canary: the alias {CHALLENGER} names version {last.version}, by {last.by} ({last.why}), and "
        "goes forward only by hand: models promote"
    )
