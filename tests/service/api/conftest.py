"""Files of tokens."""

import pytest

from tests.whole_files import replace


@pytest.fixture
def tokens(tmp_path):
    """A file of tokens; write again to change it."""
    file = tmp_path / "tokens"

    def write(*lines):
        replace(file, "\n".join(lines).encode(), mode=0o600)
        return str(file)

    write.file = file
    return write
