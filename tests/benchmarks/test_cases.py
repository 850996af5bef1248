"""The networks that are measured."""

import numpy as np
import pytest

from benchmarks.cases import INFERENCE, TRAINING
from tests.floats import assert_same_function


@pytest.mark.parametrize("case", [*TRAINING, *INFERENCE], ids=lambda case: case.name)
def test_everybody_gets_the_same_weights_and_none_is_left_at_its_default(case):
    weights = case.network().vector.value
    np.testing.assert_array_equal(weights, case.network().vector.value)
    assert np.all((weights != 0) & (weights != 1))
    assert_same_function(weights, case.network(np.float64).vector.value, terms=1)
