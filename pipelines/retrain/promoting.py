"""The steps that judge a version and make it the champion. What they decide by is in `pipelines.promotion`."""

from collections.abc import Callable

from core.artifact.manifest import Manifest, Verdict
from core.data.labeled import Labeled
from core.digit import LABELS
from core.inference.predict import Predictor
from pipelines import provenance
from pipelines.canary.beginning import AsCanary
from pipelines.order import Order
from pipelines.promotion import handwriting, slices
from pipelines.promotion.advance import Advance, advance
from pipelines.promotion.exam import Exam
from pipelines.promotion.infra import TrialResult, infra_gate
from pipelines.promotion.judging import Challenger
from pipelines.promotion.judging import judge as judge_challenger
from pipelines.promotion.probation import Probation
from pipelines.references import FileRef, TrainedRef, read_mnist
from pipelines.retrain import training
from pipelines.retrain.measures import as_metrics
from pipelines.retrain.run import Run
from pipelines.retrain.steps import EVALUATIONS, data_of, trained_network
from pipelines.sections import PromotionSection
from pipelines.voice import say


def judge(order: Order, run: Run, preprocessing: FileRef, trained: TrainedRef, evaluations: FileRef) -> Verdict:
    """Decide whether the version may become the champion, see `pipelines.promotion.gate`."""
    measured = EVALUATIONS.validate_json(evaluations.read())
    network = trained_network(trained, run.recipe)
    challenger = Challenger(
        predictor=Predictor(network, training.normalizer(preprocessing), LABELS, measured.temperature),
        parameters=network.vector.value.size,
        validation=as_metrics(measured.validation),
        data=data_of(run),
    )
    verdict = _judge(order, run, challenger)
    if order.promote == "gate":
        return verdict
    return verdict.model_copy(update={"instruction": order.promote, "instructed_by": provenance.author()})


def promote(order: Order, run: Run, manifest: Manifest, check_turn: Callable[[], None]) -> Advance:
    """Make the version the champion if its verdict says so, and the champion is still the one that this names.

    If another version has become the champion meanwhile, it is decided again. If the order names services, the version
    becomes a canary first, see `pipelines.canary`.

    Args:
        order: What was ordered.
        run: Of the version.
        manifest: Of the version.
        check_turn: Raises `LeaseLostError` if it is no longer this run's turn.
    """
    rule, by = run.recipe.promotion, provenance.author()
    canary = AsCanary(order.store, manifest.version, rule.canary, by=by, begins=bool(order.canary_services))
    return move(order, manifest, rule, lambda: judge_again(order, run, manifest), check_turn, canary)


def judge_again(order: Order, run: Run, manifest: Manifest) -> Verdict:
    """The verdict on a published version, as the repository stands now."""
    return _judge(order, run, Challenger.published(order.store, manifest))


def move(
    order: Order,
    manifest: Manifest,
    rule: PromotionSection,
    judge_again: Callable[[], Verdict],
    check_turn: Callable[[], None],
    probation: Probation,
) -> Advance:
    """The one way to the alias `champion` that any program takes by itself: see `pipelines.promotion.advance`.

    Args:
        order: What was ordered.
        manifest: Of the version.
        rule: From the recipe.
        judge_again: Gives the verdict as the repository stands now.
        check_turn: Raises `LeaseLostError` if it is no longer this run's turn.
        probation: What the version has to go through.
    """

    def try_out(champion: int | None) -> TrialResult:
        return infra_gate(order, manifest, champion, rule.trial)

    by = provenance.author()
    return advance(
        order.store, manifest, order.promote, judge_again, try_out, check_turn, by=by, say=say, probation=probation
    )


def dry_run_in_words(verdict: Verdict) -> str:
    """The result of a dry run, which publishes nothing."""
    outcome = "would be promoted" if verdict.promote else "would be rejected"
    return f"dry run: the version {outcome}: {verdict.reason}; nothing is published, and what was trained is kept"


def _judge(order: Order, run: Run, challenger: Challenger) -> Verdict:
    return judge_challenger(challenger, order.store, run.recipe.promotion, _exam(order, run), say)


def _exam(order: Order, run: Run) -> Callable[[bool], Exam]:
    """Gives what versions are read on; without an earlier version, only people's own pictures."""

    def prepare(has_rivals: bool) -> Exam:
        found = handwriting.read(order.handwriting, trained_on, say) if order.handwriting else None
        pictures = [found] if found else []
        if not has_rivals:
            return Exam.of_pictures(pictures)
        mnist, rows = read_mnist(run.dataset.files), training.split(run.dataset, run.recipe).validation
        pictures.append(slices.drawn(order.data_dir / "gate"))
        return Exam.on(rows, Labeled(mnist.train_images[rows], mnist.train_labels[rows]), pictures)

    def trained_on() -> frozenset[bytes]:
        images, _ = training.train_split(run.dataset, run.recipe)
        return frozenset(image.tobytes() for image in images)

    return prepare
