from datetime import UTC, datetime
from pathlib import Path

from core.artifact.holder import Holder
from pipelines.schedule.heartbeat import Heartbeat, Lessee


def test_a_beat_is_read_as_it_was_written(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    beat = Heartbeat(
        at=now,
        every=10,
        scheduler=Holder.of_this_process(),
        since=now,
        when="every 6h",
        next_run=now,
        longest_gap=21_600,
        lease=Lessee(holder="process 7 on far", since=now),
    )
    assert Heartbeat.last(tmp_path) is None
    beat.write(tmp_path)
    assert Heartbeat.last(tmp_path) == beat
    assert beat.trouble(now) == ""


def test_a_damaged_beat_is_as_none(tmp_path: Path) -> None:
    (tmp_path / "scheduler.json").write_text("{}")
    assert Heartbeat.last(tmp_path) is None
