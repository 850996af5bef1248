"""Fixtures of the versions' tests."""

from tests.pipelines.versions.published import other  # noqa: F401 — a fixture
