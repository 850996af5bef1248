"""The documents that go in and come out, as JSON Schema: a part of the OpenAPI document."""

from typing import Any

__all__ = ["SCHEMAS", "reference"]

Schema = dict[str, Any]


def reference(name: str) -> Schema:
    """A reference to a schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: str, /, description: str = "", **properties: Schema) -> Schema:
    """An object; the names of the properties that are always there are separated by blanks."""
    about = {"description": description} if description else {}
    names = required.split()
    return {"type": "object", **about, "properties": properties} | ({"required": names} if names else {})


def _list(items: Schema, description: str = "") -> Schema:
    return {"type": "array", "items": items} | ({"description": description} if description else {})


def _text(description: str = "", **more: Any) -> Schema:
    return {"type": "string"} | ({"description": description} if description else {}) | more


def _number(description: str = "", **more: Any) -> Schema:
    return {"type": "number"} | ({"description": description} if description else {}) | more


def _whole(description: str = "", **more: Any) -> Schema:
    return {"type": "integer"} | ({"description": description} if description else {}) | more


_PARAMETERS: Schema = {
    "type": ["object", "null"],
    "description": "Each is true, false, a number or a text.",
    "additionalProperties": {"type": ["boolean", "number", "string", "null"]},
}
_SHAPE = _list(_whole(minimum=0), "As many pictures as the first number says.")
_DURATION = _object("count ns", count=_whole(), ns=_whole("Nanoseconds in all."))

SCHEMAS: dict[str, Schema] = {
    "Error": _object("error", error=_text("What was found, what was expected, and what to do, in a sentence.")),
    "Server": _object("name version extensions", name=_text(), version=_text(), extensions=_list(_text())),
    "Model": _object(
        "name versions platform inputs outputs",
        name=_text(),
        versions=_list(_text(), "The versions that are ready."),
        platform=_text(),
        inputs=_list(reference("TensorMetadata")),
        outputs=_list(reference("TensorMetadata")),
    ),
    "TensorMetadata": _object(
        "name datatype shape", name=_text(), datatype=_text(), shape=_list(_whole(), "-1 stands for any number.")
    ),
    "Config": _object(
        "name platform max_batch_size input output",
        name=_text(),
        platform=_text(),
        backend=_text(),
        max_batch_size=_whole("The most pictures in one request."),
        version_policy={"type": "object"},
        input=_list({"type": "object"}),
        output=_list({"type": "object"}),
        parameters={"type": "object"},
    ),
    "Statistics": _object(
        "model_stats",
        model_stats=_list(
            _object(
                "name version last_inference inference_count execution_count",
                name=_text(),
                version=_text(),
                last_inference=_whole("Milliseconds since 1970; 0 for never."),
                inference_count=_whole("Pictures."),
                execution_count=_whole("Batches."),
                inference_stats=_object("success fail", success=_DURATION, fail=_DURATION),
                batch_stats=_list({"type": "object"}),
            )
        ),
    ),
    "Index": _list(
        _object("name version state reason", name=_text(), version=_text(), state=_text("E.g. READY."), reason=_text())
    ),
    "IndexRequest": _object(
        "", ready={"type": ["boolean", "null"], "description": "Only the versions that are ready."}
    ),
    "LoadRequest": _object(
        "",
        parameters={
            "type": ["object", "null"],
            "properties": {
                "version": _text("The version to load; without one, the model as the service's policy says."),
                "config": _text('The same, as other clients say it: {"version_policy": {"specific": …}}.'),
            },
        },
    ),
    "UnloadRequest": _object(
        "",
        parameters={
            "type": ["object", "null"],
            "properties": {
                "version": _text("The version to unload; without one, the model as a whole."),
                "unload_dependents": {"type": "boolean"},
            },
        },
    ),
    "InferRequest": _object(
        "inputs",
        id={"type": ["string", "null"], "description": "Comes back in the response."},
        parameters={
            **_PARAMETERS,
            "description": "`binary_data_output`: whether all outputs are wanted in binary form. `timeout`: "
            "microseconds within which the answer is wanted.",
        },
        inputs=_list(reference("Input"), "One, with all pictures in it."),
        outputs={
            "type": ["array", "null"],
            "items": reference("RequestedOutput"),
            "description": "The outputs that are wanted; without them, all.",
        },
    ),
    "Input": _object(
        "name datatype shape",
        name=_text(const="image"),
        datatype=_text(
            "UINT8: pixels from 0 (background) to 255 (ink). FP32: the same, or 0 to 1. BYTES: encoded pictures.",
            enum=["UINT8", "FP32", "BYTES"],
        ),
        shape={**_SHAPE, "description": "[N, 784] or [N, 28, 28] for pixels; [N] for encoded pictures."},
        parameters={**_PARAMETERS, "description": "`binary_data_size`: bytes behind the JSON, in place of data."},
        data=_list(
            {},
            "The elements, row by row, flat or nested; of BYTES, each a PNG, JPEG, … as base64 or as a data: URL.",
        ),
    ),
    "RequestedOutput": _object(
        "name",
        name=_text(enum=["probabilities", "digit", "digitness", "rejected"]),
        parameters={
            **_PARAMETERS,
            "description": "`binary_data`: whether it is wanted in binary form. `classification`: how many of the best "
            'classes are wanted in place of the probabilities, each as "probability:index:label".',
        },
    ),
    "InferResponse": _object(
        "model_name model_version outputs",
        model_name=_text(),
        model_version=_text("The version that has answered."),
        id=_text(),
        parameters={
            **_PARAMETERS,
            "description": "`weights_sha256`; `pixels_scaled` and `pixels_inverted`: how many pictures were.",
        },
        outputs=_list(reference("Output")),
    ),
    "Output": _object(
        "name datatype shape",
        name=_text(),
        datatype=_text(),
        shape=_SHAPE,
        parameters={**_PARAMETERS, "description": "`binary_data_size`: bytes behind the JSON, in place of data."},
        data=_list({"type": ["number", "boolean", "string", "null"]}, "The elements, row by row, flat."),
    ),
    "Answer": _object(
        "digit confidence probabilities rejected digitness model_name model_version weights_sha256 reply_id",
        digit=_whole("The most probable digit.", minimum=0, maximum=9),
        confidence=_number("Its probability, provided that the picture shows a digit.", minimum=0, maximum=1),
        probabilities=_list(_number(), "That of each digit, 0 first."),
        rejected={"type": ["string", "null"], "description": "Why the picture is not taken for a digit, if it is not."},
        digitness=_number("The probability that it shows a digit at all.", minimum=0, maximum=1),
        model_name=_text(),
        model_version=_text(),
        weights_sha256=_text(),
        reply_id=_text("A unique id of this answer."),
    ),
}
