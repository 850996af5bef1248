"""Setting a damaged document aside: it gets a name under which it counts no more, and is not lost."""

from core.artifact.objects import Objects

__all__ = ["SET_ASIDE", "set_aside"]

SET_ASIDE = ".damaged"
"""What is added to the name of a document that is set aside. Without a manifest, a version is none any more, and files
that are no version are deleted once they are old, see `core.artifact.pruning`; before that, renaming it undoes it."""


def set_aside(objects: Objects, path: str, data: bytes) -> bool:
    """Give a damaged document the name under which it counts no more, if it still is what was found.

    Returns:
        False, and nothing is changed, if it was removed or replaced meanwhile.
    """
    if objects.get(path) != data:
        return False
    objects.create(f"{path}{SET_ASIDE}", data)
    objects.delete(path)
    return True
