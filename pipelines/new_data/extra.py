"""A folder of labeled pictures that the user names with `--extra`, in any of the forms of `layout`."""

from collections.abc import Callable, Iterator
from pathlib import Path

from core.errors import NewDataError
from core.imaging import PictureLimits
from core.regular_file import concerns_one_file, read_regular, why_unreadable
from pipelines.new_data.framed_files import FramedFiles
from pipelines.new_data.idx_pair import LARGEST_IDX, read_idx_pair
from pipelines.new_data.item import NewItem, SetAside, shown
from pipelines.new_data.layout import Form, Job, plan
from pipelines.new_data.parquet import LARGEST_TABLE, NeedsPyarrowError, read_parquet
from pipelines.new_data.reading import Reading
from pipelines.new_data.survey import survey

__all__ = ["read_extra", "source_of"]

_LARGEST = {Form.PICTURE: PictureLimits().max_bytes, Form.IDX: LARGEST_IDX, Form.PARQUET: LARGEST_TABLE}
"""Bytes of one file of each form."""

_TOLD_AFTER = 5000
"""Newly read files after which a message says how far it is: some twenty seconds."""


def source_of(folder: Path) -> str:
    """What the items of a folder give as their source."""
    return f"extra {shown(folder)}"


def read_extra(folder: Path, framed: FramedFiles, say: Callable[[str], None]) -> Iterator[NewItem | SetAside]:
    """Every picture in the folder, framed as served pictures are, and everything of which nothing can be learned.

    Args:
        folder: Any mixture of the forms.
        framed: What an earlier run has read there.
        say: Receives each message.

    Returns:
        In the order of the paths.

    Raises:
        NewDataError: The folder cannot be listed, or its storage has failed.
    """
    source = source_of(folder)
    surveyed = survey(folder)
    planned = plan(surveyed.files)
    for place, reason in sorted((surveyed.faults | planned.faults).items()):
        yield SetAside(source, shown(place), reason)
    anew = 0
    for number, job in enumerate(planned.jobs, start=1):
        found = framed.known(job)
        if found is None:
            try:
                found = _read(folder, job)
            except NeedsPyarrowError as error:
                yield SetAside(source, shown(job.place), str(error))
                continue
            except MemoryError:  # not remembered: the next run may have more
                yield SetAside(source, shown(job.place), "there was not enough memory to read it; run again")
                continue
            except OSError as error:
                if not concerns_one_file(error):
                    raise NewDataError(f"new data: cannot read {shown(folder)}: {error.strerror}") from error
                yield SetAside(source, shown(job.place), why_unreadable(error))
                continue
            framed.remember(job, found)
            anew += 1
            if anew % _TOLD_AFTER == 0:
                say(f"new data: {number:,} of {len(planned.jobs):,} files in {shown(folder)} are read")
        yield from found.items(source, shown(job.place))
    framed.save()


def _read(folder: Path, job: Job) -> Reading:
    contents = [read_regular(folder / file.path, _LARGEST[job.form]) for file in job.files]
    match job.form:
        case Form.PICTURE:
            return Reading.of([(None, job.label, contents[0])])
        case Form.IDX:
            return read_idx_pair(*contents)
        case Form.PARQUET:
            return read_parquet(*contents)
