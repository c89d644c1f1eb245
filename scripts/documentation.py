"""Check the Markdown: every link within the repository leads somewhere, and the documentation stays short.

    scripts/documentation.py            exit 1, naming each broken link and each page that is too long
    scripts/documentation.py --words    print the words of every page

Code blocks, comments and generated parts have no words. A generated part stands between ``<!-- generated: … -->`` and
``<!-- end generated -->``, or between the markers of ``scripts/module_docs.py``.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).resolve().parent.parent

MAX_WORDS: Final = 30_600
MAX_PAGE_WORDS: Final = 1_500
MAX_README_WORDS: Final = 700

UNCOUNTED: Final = re.compile(r"CHANGELOG\.md|\.github/.*|tests/.*")
"""The change log grows with every release, forms are no documentation, and tests hold samples."""

_CODE: Final = re.compile(
    r"(?!tests/unit/scripts/).*(\.(asl\.json|schema\.json|py|tf|hcl|toml|ya?ml|html|in)|Makefile)"
)

_GENERATED: Final = {
    re.compile(r"<!-- generated: .*-->"): "<!-- end generated -->",
    re.compile(r"<!-- inputs and outputs: .*-->"): "<!-- end -->",
}
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_HTML_ANCHOR: Final = re.compile(r"""<[a-z]+[^>]*\s(?:id|name)=["']([^"']+)["']""")
_HTML_LINK: Final = re.compile(r"""<[a-z]+[^>]*\s(?:href|src)=["']([^"']+)["']""")
_MENTION: Final = re.compile(r"(?<![\w./-])(docs/[\w/-]+\.md)(?:#([\w-]+))?")
_NOT_IN_SLUG: Final = re.compile(r"[^\w\- ]")
_PARSER: Final = MarkdownIt("gfm-like", {"linkify": False})


class MarkerError(Exception):
    """A generated part has no end, or an end has no beginning."""


@dataclass(frozen=True, slots=True)
class Page:
    """The links and anchors of one Markdown file."""

    links: list[tuple[int, str]]
    """Line and target of each."""

    anchors: set[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the repository's Markdown, or print its words."""
    parser = argparse.ArgumentParser(description="Check the documentation's links and its length.")
    parser.add_argument("--words", action="store_true", help="print the words of every page and check nothing")
    texts = {file: (ROOT / file).read_text(encoding="utf-8") for file in _files() if file.endswith(".md")}
    if parser.parse_args(arguments).words:
        counted = {file: words(text) for file, text in texts.items() if not UNCOUNTED.fullmatch(file)}
        for file, number in sorted(counted.items(), key=lambda page: -page[1]):
            print(f"{number:6} {file}")
        print(f"{sum(counted.values()):6} in all")
        return 0
    code = {file: (ROOT / file).read_text(encoding="utf-8") for file in _files() if _CODE.fullmatch(file)}
    problems = [*broken_links(texts, _files()), *stale_mentions(code, texts), *too_long(texts)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def broken_links(texts: dict[str, str], files: Iterable[str]) -> Iterator[str]:
    """Name each relative link of `texts` whose file or anchor is missing.

    Args:
        texts: Markdown by path from the root.
        files: every path that a link may lead to; their folders are added.
    """
    targets = set(files)
    targets |= {str(folder) for file in targets for folder in PurePosixPath(file).parents}
    pages = {file: page(text) for file, text in texts.items()}
    for file, parsed in pages.items():
        for line, link in parsed.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = _resolve(file, unquote(parts.path)) if parts.path else file
            if target not in targets:
                yield f"{file}:{line}: {link}: there is no {target}"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{file}:{line}: {link}: {target} has no anchor #{parts.fragment}"


def stale_mentions(texts: dict[str, str], pages: dict[str, str]) -> Iterator[str]:
    """Name each page of docs/ that a comment or message in `texts` mentions and that is missing or lacks the anchor."""
    for file, text in texts.items():
        for number, line in enumerate(text.splitlines(), start=1):
            for target, fragment in _MENTION.findall(line):
                if target not in pages:
                    yield f"{file}:{number}: there is no {target}"
                elif fragment and fragment not in page(pages[target]).anchors:
                    yield f"{file}:{number}: {target} has no anchor #{fragment}"


def page(text: str) -> Page:
    """The links and anchors of one Markdown text, as GitHub renders it."""
    tokens = _PARSER.parse(text)
    links: list[tuple[int, str]] = []
    anchors: set[str] = set()
    slugs: Counter[str] = Counter()
    line = 0
    for place, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else line
        for inner in (token, *(token.children or ())):
            target = inner.attrGet("href") or inner.attrGet("src")
            if isinstance(target, str):
                links.append((line, target))
            if inner.type in {"html_block", "html_inline"}:
                anchors.update(_HTML_ANCHOR.findall(inner.content))
                links += [(line, link) for link in _HTML_LINK.findall(_COMMENT.sub("", inner.content))]
        if token.type == "heading_open":
            slug = _slug(tokens[place + 1])
            anchors.add(f"{slug}-{slugs[slug]}" if slugs[slug] else slug)
            slugs[slug] += 1
    return Page(links, anchors)


def too_long(texts: dict[str, str]) -> Iterator[str]:
    """Name each page with too many words, and say if all have too many together."""
    total = 0
    for file, text in texts.items():
        if UNCOUNTED.fullmatch(file):
            continue
        try:
            number = words(text)
        except MarkerError as error:
            yield f"{file}: {error}"
            continue
        total += number
        most = MAX_README_WORDS if file == "README.md" else MAX_PAGE_WORDS
        if number > most:
            yield f"{file}: {number:,} words, at most {most:,}"
    if total > MAX_WORDS:
        yield f"the documentation has {total:,} hand-written words, at most {MAX_WORDS:,}"


def words(text: str) -> int:
    """The number of hand-written words in a Markdown text.

    Raises:
        MarkerError: a generated part has no end, or an end has no beginning.
    """
    lines = _hand_written(text).splitlines()
    for token in _PARSER.parse("\n".join(lines)):
        if token.type in {"fence", "code_block"} and token.map:
            lines[slice(*token.map)] = [""] * (token.map[1] - token.map[0])
    return sum(any(map(str.isalnum, word)) for word in _COMMENT.sub("", "\n".join(lines)).split())


def _hand_written(text: str) -> str:
    hand_written = []
    end = None
    for line in text.splitlines():
        marker = line.strip()
        if end is None:
            end = next((end for begin, end in _GENERATED.items() if begin.fullmatch(marker)), None)
            if end is None and marker in _GENERATED.values():
                raise MarkerError(f"{marker} ends no generated part")
            hand_written.append("" if end else line)
        elif marker == end:
            end = None
    if end is not None:
        raise MarkerError(f"a generated part has no {end}")
    return "\n".join(hand_written)


def _slug(heading: Token) -> str:
    """GitHub's anchor of a heading, without the number of a repeated one."""
    text = "".join(inner.content for inner in heading.children or () if inner.type in {"text", "code_inline"})
    return _NOT_IN_SLUG.sub("", text.strip().lower()).replace(" ", "-")


def _resolve(file: str, path: str) -> str:
    """The path from the root that a link in `file` leads to; it keeps leading `..` where it leaves the repository."""
    parts: list[str] = [] if path.startswith("/") else list(PurePosixPath(file).parent.parts)
    for part in PurePosixPath(path.lstrip("/")).parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts) or "."


def _files() -> list[str]:
    """Every file that is tracked or could be."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [file for file in answer.stdout.split("\0") if file and (ROOT / file).is_file()]


if __name__ == "__main__":
    sys.exit(main())
