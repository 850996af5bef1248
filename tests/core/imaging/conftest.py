import pytest

from tests.core.imaging.drawn import Gray, mnist_test_images


@pytest.fixture(scope="package")
def mnist() -> Gray:
    """MNIST's 10,000 test images, (N, 28, 28)."""
    return mnist_test_images()
