"""Open Inference Protocol: descriptions of the model and its versions, and their statistics."""

from collections.abc import Sequence

from core.artifact.repository import MODEL
from core.digit import PIXELS
from protos.inference import open_inference_pb2 as pb
from service.api.inference.tensors import IMAGE, SHAPES, outputs_of
from service.loaded import Loaded
from service.telemetry.statistics import Totals

__all__ = ["EXTENSIONS", "config", "metadata", "statistics"]

EXTENSIONS = ("classification", "model_configuration", "model_repository", "statistics")
"""The extensions of the protocol that are supported, by the names that clients know; that for streams has no name."""

PLATFORM, BACKEND = "numeral_numpy", "numeral"


def metadata(loaded: Loaded, ready: Sequence[str]) -> pb.ModelMetadataResponse:
    """The input and the outputs of a version. For the input, the simplest of its datatypes is named.

    Args:
        loaded: The version.
        ready: The versions that are ready.
    """
    tensor = pb.ModelMetadataResponse.TensorMetadata
    return pb.ModelMetadataResponse(
        name=MODEL,
        versions=ready,
        platform=PLATFORM,
        inputs=[tensor(name=IMAGE, datatype="UINT8", shape=(-1, PIXELS))],
        outputs=[
            tensor(name=output.name, datatype=output.datatype, shape=(-1, *output.dims))
            for output in outputs_of(loaded)
        ],
    )


def config(loaded: Loaded, ready: Sequence[str], max_batch: int) -> pb.ModelConfig:
    """The configuration of a version.

    Args:
        loaded: The version.
        ready: The versions that are ready.
        max_batch: The most pictures in one request.
    """
    numbers = [int(version) for version in ready if version.isdigit()]
    found = pb.ModelConfig(
        name=MODEL,
        platform=PLATFORM,
        backend=BACKEND,
        version_policy=pb.ModelVersionPolicy(specific=pb.ModelVersionPolicy.Specific(versions=numbers)),
        max_batch_size=max_batch,
        input=[pb.ModelInput(name=IMAGE, data_type=pb.TYPE_UINT8, dims=(PIXELS,))],
        output=[
            pb.ModelOutput(name=output.name, data_type=f"TYPE_{output.datatype}", dims=output.dims)
            for output in outputs_of(loaded)
        ],
    )
    for name, value in _about(loaded).items():
        found.parameters[name].string_value = value
    return found


def statistics(version: str, totals: Totals) -> pb.ModelStatistics:
    """The statistics of a version."""
    counted = totals.counters
    success = counted["success"]

    def part(name: str) -> pb.StatisticDuration:
        return pb.StatisticDuration(count=success, ns=counted[f"{name}_ns"])

    return pb.ModelStatistics(
        name=MODEL,
        version=version,
        last_inference=counted["last_inference_ms"],
        inference_count=counted["inferences"],
        execution_count=counted["executions"],
        inference_stats=pb.InferStatistics(
            success=part("success"),
            fail=pb.StatisticDuration(count=counted["fail"], ns=counted["fail_ns"]),
            queue=part("queue"),
            compute_input=part("input"),
            compute_infer=part("infer"),
            compute_output=part("output"),
        ),
        batch_stats=[
            pb.InferBatchStatistics(batch_size=size, compute_infer=pb.StatisticDuration(count=count, ns=nanoseconds))
            for size, (count, nanoseconds) in totals.batches.items()
        ],
    )


def _about(loaded: Loaded) -> dict[str, str]:
    manifest = loaded.manifest
    return {
        "version": loaded.version,
        "weights_sha256": loaded.weights_sha256,
        "recipe": manifest.recipe_name,
        "created": manifest.created.isoformat(),
        "parameter_count": str(manifest.architecture.parameter_count),
        "test_accuracy": str(manifest.test.accuracy),
        "image": "pixels from 0 (background) to 255 (ink), or encoded pictures: "
        + "; ".join(f"{datatype} {shapes}" for datatype, shapes in SHAPES.items()),
    }
