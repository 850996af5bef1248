import asyncio
import sys

from service.server.trimming import WORTH_BYTES, Trimming, occupied, trim


def test_memory_is_given_back_once_the_process_has_grown_and_not_again_without_growth():
    now, trimmed = [100 * WORTH_BYTES], []

    def give_back() -> None:
        trimmed.append(now[0])
        now[0] = 90 * WORTH_BYTES

    async def check() -> None:
        trimming = Trimming(lambda: now[0], give_back)
        await trimming.look()
        await trimming.look()
        assert trimmed == [100 * WORTH_BYTES]
        now[0] += WORTH_BYTES + 1
        await trimming.look()
        assert len(trimmed) == 2

    asyncio.run(check())


def test_the_memory_of_this_process_is_known_and_can_be_trimmed():
    trim()
    assert occupied() > 0 or sys.platform != "linux"


def test_a_system_without_proc_has_no_figure(tmp_path):
    assert occupied(tmp_path / "statm") == 0
