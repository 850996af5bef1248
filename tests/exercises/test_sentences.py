"""What a learner reads: which output is wrong, by how much, in which line; and never a traceback of ours."""

import pytest

from exercises.catalog import find
from exercises.examine import examine
from exercises.verdict import PASSED, WRONG
from tests.exercises.learner import write

BACKWARD = "02"
SIGNATURE = "import numpy as np\n\ndef dense_backward(x, dy, W):\n"
RIGHT = "    dx, dW, db = dy @ W.T, x.T @ dy, dy.sum(axis=0)\n"


def verdict_on(folder, body, exercise=BACKWARD, signature=SIGNATURE, seconds=60):
    file = write(folder, exercise, signature + body)
    found = examine(file.stem, file, seconds, afterwards=False)
    assert found.outcome == WRONG
    return found


def test_each_output_is_judged_by_itself_with_its_relative_error(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    dW = dW + 0.1\n    return dx, dW, db\n")
    assert [(output.name, output.right) for output in found.outputs] == [("dx", True), ("dW", False), ("db", True)]
    assert found.outputs[0].error < 1e-6 < found.outputs[1].error < 0.1


def test_the_line_is_that_of_the_wrong_output(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    dW = dW + 0.1\n    return dx, dW, db\n")
    assert (found.line, found.code) == (5, "dW = dW + 0.1")


def test_a_factor_that_is_the_size_of_the_batch_is_named(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    return dx, len(x) * dW, db\n")
    assert (
        "Your dW is exactly 32 times too large: 32 is the size of the batch. Is a mean's 1/N missing?"
        in found.sentences
    )


def test_any_other_factor_is_named(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    return 3 * dx, dW, db\n")
    assert "Your dx is 3 times too large, everywhere; all else about it is right." in found.sentences


def test_a_wrong_sign_is_named(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    return dx, dW, -db\n")
    assert "Your db has the wrong sign, everywhere; its size is right." in found.sentences


def test_the_first_wrong_number_is_shown_beside_the_numerical_gradient(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    dW[2, 1] += 5\n    return dx, dW, db\n")
    assert "1 of its 20 numbers are wrong. The first: dW[2, 1] is " in found.sentences[0]
    assert "the numerical gradient is " in found.sentences[0]


def test_a_wrong_shape_is_reported_with_the_right_one(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    return dx, dW[:2], db\n")
    assert "Your dW has the shape (2, 4), expected (5, 4)." in found.sentences


def test_a_transposed_matrix_is_reported(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    return dx.T, dW, db\n")
    assert "Your dx has the shape (5, 32), expected (32, 5): it is transposed." in found.sentences


def test_a_missing_return_is_reported(tmp_path):
    assert verdict_on(tmp_path, RIGHT).sentences == ["dense_backward returns None: is a `return` missing?"]


def test_too_few_outputs_are_reported(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    return dx, dW\n")
    assert found.sentences == ["dense_backward returns 2 values, expected dx, dW and db."]


def test_a_list_in_place_of_an_array_is_reported(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    return dx, dW, list(db)\n")
    assert found.sentences == ["Your db is a list, expected an array."]


def test_another_dtype_than_that_of_the_inputs_is_reported(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    return dx, dW, db.astype(np.float64)\n")
    assert "The numbers of your db are right, but it is float64; the inputs are float32." in found.sentences[0]


def test_an_input_that_was_changed_is_named(tmp_path):
    found = verdict_on(tmp_path, RIGHT + "    dy *= 2\n    return dx, dW, db\n")
    assert found.sentences[0].startswith("dense_backward has changed dy, the array that it was given.")
    assert (found.line, found.code) == (5, "dy *= 2")


def test_rounding_that_a_gradient_check_leaves_in_its_input_is_no_change(tmp_path):
    text = find("6").solution.read_text("utf-8")
    begin, end = text.index("        up, down ="), text.index("    return gradient")
    restored = """        x[index] += h
        up = f(x)
        x[index] -= 2 * h
        gradient[index] = (up - f(x)) / (2 * h)
        x[index] += h
"""
    file = write(tmp_path, "6", text[:begin] + restored + text[end:])
    assert examine(file.stem, file, 60).outcome == PASSED


def test_an_exception_is_reported_with_its_line_and_the_shapes_of_the_arguments(tmp_path):
    found = verdict_on(tmp_path, "    raise ZeroDivisionError('so be it')\n")
    assert found.sentences[0] == "ZeroDivisionError: so be it."
    assert "dense_backward was called with x (32, 5), dy (32, 4), W (5, 4)." in found.sentences
    assert found.line == 4


def test_shapes_that_do_not_fit_are_reported_as_that(tmp_path):
    found = verdict_on(tmp_path, "    return x @ dy @ W, x, x\n")
    assert found.sentences[0] == "The shapes of two arrays do not fit each other."


def test_a_syntax_error_is_reported_with_its_line(tmp_path):
    found = verdict_on(tmp_path, "    dW = x.T @\n")
    assert found.sentences == ["This is not Python yet: invalid syntax."]
    assert (found.line, found.code) == (4, "dW = x.T @")


def test_an_endless_loop_is_interrupted_and_its_line_shown(tmp_path):
    found = verdict_on(tmp_path, "    while True:\n        x = x + 1\n", seconds=0.5)
    assert found.sentences == ["It has not come to an end within 0.5 seconds: is this a loop that never ends?"]
    assert found.line in (4, 5)


def test_an_endless_recursion_is_reported(tmp_path):
    found = verdict_on(tmp_path, "    return dense_backward(x, dy, W)\n")
    assert "calls itself without end" in found.sentences[0]


def test_a_file_that_calls_exit_is_reported(tmp_path):
    found = verdict_on(tmp_path, "    raise SystemExit\n")
    assert found.sentences == ["The file ends the program (exit): it has to return instead."]


def test_a_renamed_function_is_reported(tmp_path):
    found = verdict_on(tmp_path, "    pass\n", signature="def backward(x, dy, W):\n")
    assert "defines no dense_backward" in found.sentences[0]


def test_a_changed_signature_is_reported(tmp_path):
    found = verdict_on(tmp_path, "    pass\n", signature="def dense_backward(x, dy):\n")
    assert found.sentences == ["dense_backward takes (x, dy), expected (x, dy, W): the first line was changed."]


def test_an_unknown_name_at_the_top_of_the_file_is_reported(tmp_path):
    found = verdict_on(tmp_path, "    pass\n", signature="numpie.zeros(3)\ndef dense_backward(x, dy, W):\n")
    assert found.sentences[0].startswith("NameError: name 'numpie' is not defined")
    assert found.line == 1


def test_a_file_in_another_encoding_is_reported(tmp_path):
    file = write(tmp_path, BACKWARD, "")
    file.write_bytes(b"# \xff\xfe\n")
    assert "not text in UTF-8" in examine(file.stem, file, 60).sentences[0]


def test_a_file_that_is_not_there_is_reported(tmp_path):
    assert "reset" in examine("02_dense_backward", tmp_path / "02_dense_backward.py", 60).sentences[0]


def test_what_the_file_prints_is_kept_apart(tmp_path):
    found = verdict_on(tmp_path, "    print('dy is', dy.shape)\n")
    assert "dy is (32, 4)\n" in found.printed


@pytest.mark.parametrize("value", ["float('nan')", "np.inf"])
def test_numbers_that_are_not_finite_are_reported_with_their_place(value, tmp_path):
    found = verdict_on(tmp_path, RIGHT + f"    dx[3, 2] = {value}\n    return dx, dW, db\n")
    assert "first at dx[3, 2]" in found.sentences[0]


def test_a_mistake_that_shows_in_one_case_alone_is_reported_with_the_case(tmp_path):
    body = "    return np.maximum(x, 0) if x.ndim == 2 else x\n\n"
    found = verdict_on(tmp_path, body, "03", "import numpy as np\n\ndef relu(x):\n")
    assert found.sentences[-1] == "This shows with pictures, (N, H, W, C)."
