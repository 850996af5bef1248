"""`Sampling`: what Optuna decides of a sweep, with a journal on disk that survives any kill.

Every decision depends on the finished trials, the seed and the trial's number alone: never on how long the process has
been running. So a sweep that was killed goes on with the values that it would have tried anyway.
"""

import math
import warnings
from collections.abc import Mapping
from copy import copy
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, TrialState

from pipelines.sweep.choices import Objective, Pruner
from pipelines.sweep.course import Epoch
from pipelines.sweep.space import Between, Parameter, Space, Value

__all__ = ["Sampling"]

_STARTUP = 10
"""Trials with random values, before there is something to learn from."""

_JUDGED_FROM = 5
"""Complete trials that the median pruner compares with at least."""

_FIRST_JUDGED = 2
"""The first epoch that the median pruner judges: the one before says more about the learning rate than the end."""

_STUDY = "sweep"

optuna.logging.set_verbosity(optuna.logging.WARNING)
warnings.filterwarnings("ignore", category=ExperimentalWarning, module="optuna")


class _Alone(JournalFileSymlinkLock):
    """No lock: the process holds one on the whole sweep, which the system releases if it is killed."""

    def acquire(self) -> bool:
        """Hold it."""
        return True

    def release(self) -> None:
        """Hold it no longer."""


class Sampling:
    """The study of a sweep. One process at a time may have it open."""

    def __init__(
        self, journal: Path, space: Space, *, objective: Objective, pruner: Pruner, epochs: int, seed: int
    ) -> None:
        """Open the study, or begin it.

        Args:
            journal: The file; its folder exists.
            space: What is tried.
            objective: What is judged.
            pruner: What ends trials early.
            epochs: The most that a trial may have.
            seed: Decides all random choices.
        """
        _mend(journal)
        self._seed, self._objective = seed, objective
        self._distributions = {one.key: _distribution(one) for one in space.parameters}
        self._pruner = _pruner(pruner, epochs)
        self._study = self._new(JournalStorage(JournalFileBackend(str(journal), lock_obj=_Alone(str(journal)))))
        self._trials: dict[int, optuna.Trial] = {}

    @property
    def count(self) -> int:
        """How many trials have been begun."""
        return len(self._study.get_trials(deepcopy=False))

    def unfinished(self) -> dict[int, dict[str, Value]]:
        """The trials whose sweep ended before they did, by number: their values, as they were drawn then."""
        found = {}
        for frozen in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            found[frozen.number] = self._suggested(optuna.Trial(self._study, frozen._trial_id))
        while self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            trial = self._study.ask()
            found[trial.number] = self._suggested(trial)
        return dict(sorted(found.items()))

    def begin(self, values: Mapping[str, Value] | None = None) -> tuple[int, dict[str, Value]]:
        """Begin a trial.

        Args:
            values: What it tries; by default, what the sampler finds most promising.

        Returns:
            Its number and its values.
        """
        # Drawn before the trial is written down, and written down as a whole: a kill in between leaves a trial that
        # waits with all its values, never one with some of them.
        self._study.enqueue_trial(dict(values or self._drawn()))
        trial = self._study.ask()
        return trial.number, self._suggested(trial)

    def judge(self, number: int, epochs: tuple[Epoch, ...]) -> bool:
        """Report all epochs of a trial, also those that were reported before; and say whether it is to be pruned."""
        trial = self._trials[number]
        reported = self._frozen(number).intermediate_values
        for step, epoch in enumerate(epochs, start=1):
            if step not in reported:
                trial.report(self.value(epoch), step)
                if trial.should_prune():  # after each epoch, as if they had come one by one
                    return True
        return trial.should_prune()

    def complete(self, number: int, result: Epoch) -> None:
        """End a trial with the epoch whose weights count."""
        self._study.tell(number, self.value(result))

    def prune(self, number: int) -> None:
        """End a trial early."""
        self._study.tell(number, state=TrialState.PRUNED)

    def fail(self, number: int) -> None:
        """End a trial that diverged, or whose values make no recipe.

        For Optuna, it was pruned after an epoch that is no number: of a failed one, the sampler would learn nothing,
        and try its neighbors next.
        """
        trial, steps = self._trials[number], self._frozen(number).intermediate_values
        trial.report(math.nan, max(steps, default=0) + 1)
        self._study.tell(number, state=TrialState.PRUNED)

    def value(self, epoch: Epoch) -> float:
        """What is judged of an epoch."""
        return epoch.validation_loss if self._objective == "loss" else epoch.validation_accuracy

    def importances(self) -> dict[str, float]:
        """How much each key matters for being among the best: shares by PED-ANOVA (Watanabe et al. 2023).

        Empty while there are too few complete trials, or all came to the same.
        """
        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        varied = [key for key, one in self._distributions.items() if not one.single()]
        if len(complete) < _STARTUP or not varied or len({trial.value for trial in complete}) == 1:
            return {}
        # A tenth of so few trials would be one or two.
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
        found = optuna.importance.get_param_importances(self._study, evaluator=evaluator, params=varied)
        return found if all(map(math.isfinite, found.values())) else {}

    def _drawn(self) -> dict[str, Any]:
        """The values of the next trial, by multivariate TPE (Bergstra et al. 2011; Falkner et al. 2018).

        Drawn in a copy of the study, by a sampler that is seeded anew for each trial: so it does not matter what the
        process has drawn before. Trials that still run count as bad ones ("constant liar"), so that workers do not try
        nearly the same at once.
        """
        trials = self._study.get_trials(deepcopy=False)
        drawing = self._new(None)
        drawing.add_trials(map(_as_learned, trials))
        seed = np.random.SeedSequence([self._seed, len(trials)]).generate_state(1)[0]
        drawing.sampler = optuna.samplers.TPESampler(
            multivariate=True, constant_liar=True, n_startup_trials=_STARTUP, seed=int(seed)
        )
        return drawing.ask(self._distributions).params

    def _new(self, storage: JournalStorage | None) -> optuna.Study:
        return optuna.create_study(
            storage=storage,
            study_name=_STUDY,
            direction="minimize" if self._objective == "loss" else "maximize",
            pruner=self._pruner,
            load_if_exists=True,
        )

    def _suggested(self, trial: optuna.Trial) -> dict[str, Value]:
        """The values of a trial, which `begin` has fixed."""
        self._trials[trial.number] = trial
        values: dict[str, Value] = {}
        for key, one in self._distributions.items():
            match one:
                case IntDistribution():
                    values[key] = trial.suggest_int(key, one.low, one.high, step=one.step, log=one.log)
                case FloatDistribution():
                    values[key] = trial.suggest_float(key, one.low, one.high, step=one.step, log=one.log)
                case CategoricalDistribution():
                    values[key] = str(trial.suggest_categorical(key, one.choices))
        return values

    def _frozen(self, number: int) -> FrozenTrial:
        return self._study.get_trials(deepcopy=False)[number]


def _as_learned(trial: FrozenTrial) -> FrozenTrial:
    """A trial as the sampler is to see it: one that failed as worse than all others.

    Of pruned trials, the sampler takes the one that came further for the better, even if its last epoch is no number;
    one without any epoch comes last.
    """
    if not any(map(math.isnan, trial.intermediate_values.values())):
        return trial
    worst = copy(trial)
    worst.intermediate_values = {}
    return worst


def _distribution(one: Parameter) -> BaseDistribution:
    if not isinstance(one, Between):
        return CategoricalDistribution(one.choices)
    if one.whole:
        low, every = int(one.low), int(one.step or 1)
        return IntDistribution(low, low + (int(one.high) - low) // every * every, log=one.log, step=every)
    if one.step is None:
        return FloatDistribution(one.low, one.high, log=one.log)
    # As far as whole steps go: Optuna would do the same, and warn of it. In decimals, as numbers are written: floats
    # would fall short of the last step by a rounding, and lose it.
    start, end, step = (Decimal(str(number)) for number in (one.low, one.high, one.step))
    return FloatDistribution(one.low, float(start + (end - start) // step * step), step=one.step)


def _pruner(kind: Pruner, epochs: int) -> optuna.pruners.BasePruner:
    if kind == "none":
        return optuna.pruners.NopPruner()
    if kind == "hyperband":
        return optuna.pruners.HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=3)
    return optuna.pruners.MedianPruner(n_startup_trials=_JUDGED_FROM, n_warmup_steps=_FIRST_JUDGED)


def _mend(journal: Path) -> None:
    """Cut off the line that a kill has left incomplete: what comes after it could never be read."""
    try:
        data = journal.read_bytes()
    except FileNotFoundError:
        return
    if whole := data.rfind(b"\n") + 1:
        if whole < len(data):
            with journal.open("r+b") as file:
                file.truncate(whole)
    else:
        journal.unlink()
