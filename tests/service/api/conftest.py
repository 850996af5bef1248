"""Files of tokens."""

import pytest


@pytest.fixture
def tokens(tmp_path):
    """A file of tokens; write again to change it."""
    file = tmp_path / "tokens"

    def write(*lines):
        file.touch(mode=0o600)
        file.write_text("\n".join(lines))
        return str(file)

    write.file = file
    return write
