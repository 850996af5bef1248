"""The account of new data: how many pictures of which source train, are held out, or were left out."""

from core.artifact.origin import NewDataProvenance, NewDataSource
from pipelines.new_data.item import counted
from pipelines.references import DatasetRef

__all__ = ["account_of", "counts", "sentence"]


def account_of(dataset: DatasetRef) -> NewDataProvenance | None:
    """Where the new data of a run comes from; None if its order names no folder."""
    new_data = dataset.new_data
    return NewDataProvenance.model_validate_json(new_data.account.read()) if new_data else None


def counts(dataset: DatasetRef) -> dict[str, int] | None:
    """How many pictures of all sources are trained on, held out, set aside, and known already."""
    account = account_of(dataset)
    if account is None:
        return None
    return {
        "trained": account.images,
        "held_out": account.held_out_images,
        "set_aside": sum(source.set_aside for source in account.sources),
        "known": sum(source.known + source.repeated for source in account.sources),
    }


def sentence(account: NewDataProvenance) -> str:
    """What there is, for people."""
    return f"new data: {', '.join(map(_from, account.sources))}; {account.held_out_images:,} held out"


def _from(source: NewDataSource) -> str:
    word, _, folder = source.source.partition(" ")
    count, known = sum(source.digits) + sum(source.held_out), source.known + source.repeated
    aside = [f"{source.set_aside:,} set aside"] if source.set_aside else []
    aside += [f"{known:,} known already"] if known else []
    place = word if word == "feedback" else folder
    pictures = f"{counted(count)} from {place}"
    return f"{pictures} ({', '.join(aside)})" if aside else pictures
