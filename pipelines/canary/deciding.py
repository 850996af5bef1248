"""What is done about a canary: it goes forward, is stopped, or is judged again because the champion has changed.

Each of these is one move of one alias, made only if both aliases are still where they were looked at. So whoever is
killed has either made it or not, and two programs that look at the same canary cannot both.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import ValidationError

from core.artifact.manifest import Manifest
from core.artifact.repository import Repository
from core.errors import AliasMovedError, ConfigError, LeaseHeldError, NumeralError
from pipelines import provenance
from pipelines.canary.beginning import AsCanary
from pipelines.canary.challenger_alias import CHALLENGER, FOLLOWS, Canary, over
from pipelines.canary.looked import Look
from pipelines.notices.announcer import Announcer, to_webhook
from pipelines.notices.notice import Kind, Notice
from pipelines.order import Order
from pipelines.promotion.advance import Advance
from pipelines.promotion.probation import Held
from pipelines.recipe import Recipe
from pipelines.retrain.run import Run
from pipelines.retrain.turn import turn
from pipelines.schedule.journal import Journal, Success
from pipelines.sections import PromotionSection
from pipelines.settings import Settings

__all__ = ["Deciding"]


class _Observed:
    """The probation of a version that has been a canary: it is over, if the champion is the one that it was beside."""

    def __init__(self, beside: int, words: str, otherwise: AsCanary) -> None:
        self._beside = beside
        self._words = words
        self._otherwise = otherwise

    def standing(self, champion: int | None) -> Held | None:  # noqa: ARG002 — what counts is looked at before the move
        """Nothing keeps it from being promoted yet."""
        return None

    def before_move(self, champion: int | None, reasons: str) -> Held | str:
        """What was observed; beside another champion, the canary begins again."""
        if champion == self._beside and self._words:
            return self._words
        return self._otherwise.before_move(champion, reasons)


class Deciding:
    """Acts for one repository. The lease of it is kept, so that the one of a dead process is seen to expire."""

    def __init__(self, order: Order, rule: PromotionSection, say: Callable[[str], None]) -> None:
        """Nothing is done yet.

        Args:
            order: Says where, and what is needed to judge again.
            rule: From the recipe.
            say: Receives each message.
        """
        # What is ordered of a retraining, such as to promote in any case, is not ordered of a canary.
        self._order = order.model_copy(update={"promote": "gate"})
        self._rule = rule
        self._say = say
        self._store: Repository = order.store
        self._lease = self._store.lease(Settings().lease_seconds)

    def forward(self, canary: Canary, words: str) -> Look:
        """Make the canary the champion, as every version becomes it: see `pipelines.promotion.advance`."""
        return self._advance(canary, words)

    def again(self, canary: Canary) -> Look:
        """Judge the canary against the champion of now. If it passes, it begins again beside that one."""
        return self._advance(canary, "")

    def stop(self, canary: Canary, why: str) -> Look:
        """Let the alias `challenger` name the champion, so that no call goes to the canary any more."""
        sentence = over(canary.version, why)
        try:
            champion = self._lead_to_champion(canary.version, sentence)
        except AliasMovedError as error:
            return _look(canary, "waiting", f"{sentence}; but {error}")
        self._say(f"{sentence}; version {champion} stays the champion")
        self._noted(lambda: self._announce("rejected", self._store.manifest(canary.version), sentence))
        return _look(canary, "stopped", sentence)

    def follow(self, left: int) -> Look:
        """Let the alias follow the champion, from where it was left when a canary was over."""
        try:
            champion = self._lead_to_champion(left, FOLLOWS)
        except AliasMovedError as error:
            return Look(outcome="none", words=str(error))
        words = f"{FOLLOWS}: {CHALLENGER} has been moved from version {left} to version {champion}"
        self._say(words)
        return Look(outcome="none", words=words)

    def _lead_to_champion(self, expecting: int, why: str) -> int:
        """Let the alias name the champion, which is not looked at: whether it is sound or not, the canary has to end.

        Raises:
            AliasMovedError: The alias is no longer where it was looked at, or there is no champion.
        """
        champion = self._store.alias().target()
        if champion is None:
            raise AliasMovedError(f"there is no champion that the alias {CHALLENGER} could name")
        self._store.alias(CHALLENGER).promote(champion, by=provenance.author(), why=why, expecting=expecting)
        return champion

    def _advance(self, canary: Canary, words: str) -> Look:
        from pipelines.retrain import promoting  # here: a look that decides nothing needs no network

        version = canary.version
        try:
            with turn(self._lease, 0, self._say) as mine:
                manifest = self._store.manifest(version)
                by = provenance.author()
                otherwise = AsCanary(self._store, version, self._rule.canary, by=by)
                advanced = promoting.move(
                    self._order,
                    manifest,
                    self._rule,
                    lambda: promoting.judge_again(self._order, self._run(manifest), manifest),
                    mine.check,
                    _Observed(canary.beside, words, otherwise),
                )
        except LeaseHeldError as error:
            return _look(canary, "waiting", f"{error.args[0].partition('; wait')[0]}: the next look decides")
        return self._came_of(canary, manifest, advanced, words)

    def _came_of(self, canary: Canary, manifest: Manifest, advanced: Advance, words: str) -> Look:
        version = canary.version
        if advanced.moved:
            self._announce("promoted", manifest, words)
            now = datetime.now(UTC)
            success = Success(at=now, outcome="published", version=version, promoted=True, recipe=manifest.recipe_name)
            self._noted(lambda: Journal(self._order.data_dir).promoted(success))
            return _look(canary, "forward", f"version {version} is the champion now: {words}")
        if advanced.begun:
            return _look(
                canary, "begun", f"version {version} was judged again, and is a canary beside the new champion"
            )
        if advanced.rejected:
            return self.stop(canary, advanced.rejected)
        standing = "is the champion already" if advanced.promoted else "is not promoted; the messages say why"
        return _look(canary, "waiting", f"version {version} {standing}")

    def _run(self, manifest: Manifest) -> Run:
        """The run that has trained a version, with which images it was validated on."""
        from pipelines.engine.engine import Engine
        from pipelines.retrain import job

        try:
            recipe = Recipe.model_validate(manifest.recipe)
        except (ValidationError, ConfigError) as error:
            raise ConfigError(
                f"version {manifest.version} cannot be judged again, as its recipe cannot be read here: {error}; "
                f"decide yourself: models promote {manifest.version}"
            ) from error
        untaught = recipe.train.model_copy(update={"teacher": None})  # it trains nothing, so nobody has to teach
        judged = recipe.model_copy(update={"promotion": self._rule, "train": untaught})
        return job.with_its_data(self._order, judged, Engine())

    def _announce(self, kind: Kind, manifest: Manifest, reason: str) -> None:
        metrics = {"test_accuracy": manifest.test.accuracy, "validation_accuracy": manifest.validation.accuracy}
        Announcer([to_webhook], self._say).announce(
            Notice(
                kind=kind,
                repository=self._store.url,
                recipe=manifest.recipe_name,
                reason=reason,
                version=manifest.version,
                metrics=metrics,
            )
        )

    def _noted(self, note: Callable[[], None]) -> None:
        try:
            note()
        except NumeralError as error:  # the alias has moved all the same
            self._say(str(error))


def _look(canary: Canary, outcome: str, words: str) -> Look:
    return Look.model_validate(
        {
            "outcome": outcome,
            "words": words,
            "version": canary.version,
            "champion": canary.beside,
            "since": canary.begun,
        }
    )
