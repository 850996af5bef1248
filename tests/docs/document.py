"""A page as Sybil reads it: its blocks of code in order, each with what is done with it.

Above a block, an HTML comment, which no reader sees, may say that it is not run, and why:

    <!-- skip: next "trains for half an hour" -->
    <!-- skip: next if(not installed("torch"), reason="needs PyTorch") -->

and a block that no reader sees prepares what follows:

    <!-- invisible-code-block: python
    paths = ["examples/seven.png"]
    -->
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sybil import Document, Region
from sybil.example import Example
from sybil.parsers.markdown import SkipParser
from sybil.parsers.markdown.lexers import DirectiveInHTMLCommentLexer, RawFencedCodeBlockLexer

__all__ = ["Block", "blocks", "parse"]

FENCES = RawFencedCodeBlockLexer(re.compile(r"(?P<info>[^\n]*)$\n", re.MULTILINE))
INVISIBLE = DirectiveInHTMLCommentLexer("invisible-code-block", "python")
SKIPS = SkipParser()


@dataclass(frozen=True)
class Block:
    """A block of code.

    Attributes:
        language: What stands behind the fence; "" if nothing does.
        source: Its content.
        line: The line of the page on which the fence is.
        visible: Whether a reader sees it.
    """

    language: str
    source: str
    line: int
    visible: bool = True


def _block(document: Document, region: Region) -> Block:
    line = document.text.count("\n", 0, region.start) + 1
    visible = "info" in region.lexemes
    language = region.lexemes["info"].strip() if visible else region.lexemes["arguments"]
    return Block(language, str(region.lexemes["source"]), line, visible)


def _outside(regions: Iterable[Region], fences: Sequence[Region]) -> Iterator[Region]:
    """Those that are not within a block, where a comment is shown and marks nothing."""
    return (region for region in regions if not any(fence.start <= region.start < fence.end for fence in fences))


def _skips(document: Document) -> Iterable[Region]:
    """Sybil's own, but none without a reason."""
    for region in _outside(SKIPS(document), list(FENCES(document))):
        action, reason = region.parsed
        if action != "end" and not reason:
            line = document.text.count("\n", 0, region.start) + 1
            raise ValueError(
                f'{document.path}:{line}: `skip: {action}` without a reason; write `skip: {action} "why it is not run"`'
            )
        yield region


def parse(page: Path, evaluators: Mapping[str, Callable[[Example], None]]) -> Document:
    """The page as a document whose examples can be evaluated in order.

    Args:
        page: The file.
        evaluators: What is done with the blocks of each language; of a language that is missing here, nothing.
    """

    def regions(document: Document) -> Iterable[Region]:
        fences = list(FENCES(document))
        for region in [*fences, *_outside(INVISIBLE(document), fences)]:
            region.parsed = block = _block(document, region)
            region.evaluator = evaluators.get(block.language)
            yield region

    document = Document.parse(str(page), regions, _skips)
    document.namespace["installed"] = lambda module: find_spec(module) is not None
    return document


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that a reader sees, in order."""
    parsed = [example.parsed for example in parse(page, {})]
    return [block for block in parsed if isinstance(block, Block) and block.visible]
