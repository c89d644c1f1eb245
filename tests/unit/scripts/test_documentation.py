"""The check of the Markdown: links within the repository, and the number of words."""

from __future__ import annotations

import pytest

from scripts import documentation
from scripts.documentation import MarkerError, broken_links, page, stale_mentions, too_long, words


def problems(texts, *others):
    return list(broken_links(texts, [*texts, *others]))


@pytest.mark.parametrize(
    "link",
    [
        "docs/b.md",
        "./docs/b.md",
        "docs/b.md#second-part",
        "docs/b.md#by-hand",
        "/docs/b.md",
        "docs",
        "docs/",
        "#here-and-there",
        "LICENSE",
        "docs/with%20space.txt",
        "https://example.com/no/such/page#at-all",
        "mailto:someone@example.com",
    ],
)
def test_a_link_that_leads_somewhere_passes(link):
    texts = {
        "a.md": f"# Here, and there\n\n[text]({link})\n",
        "docs/b.md": '# First\n\n## Second part\n\n<a id="by-hand"></a>\n\n[back](../a.md#here-and-there)\n',
    }

    assert not problems(texts, "LICENSE", "docs/with space.txt")


@pytest.mark.parametrize(
    ("markdown", "problem"),
    [
        ("[text](missing.md)", "a.md:3: missing.md: there is no missing.md"),
        ("![picture](images/none.png)", "a.md:3: images/none.png: there is no images/none.png"),
        ('<img src="images/none.png">', "a.md:3: images/none.png: there is no images/none.png"),
        ("[text][label]\n\n[label]: missing.md", "a.md:3: missing.md: there is no missing.md"),
        ("| [text](missing.md) |\n|---|", "a.md:3: missing.md: there is no missing.md"),
        ("[text](docs/B.md)", "a.md:3: docs/B.md: there is no docs/B.md"),
        ("[text](../b.md)", "a.md:3: ../b.md: there is no ../b.md"),
        ("[text](docs/b.md#third)", "a.md:3: docs/b.md#third: docs/b.md has no anchor #third"),
        ("[text](#none)", "a.md:3: #none: a.md has no anchor #none"),
    ],
)
def test_a_link_that_leads_nowhere_is_named_with_its_line(markdown, problem):
    assert problems({"a.md": f"# Title\n\n{markdown}\n", "docs/b.md": "# First\n"}) == [problem]


def test_links_in_code_and_comments_are_not_followed():
    assert not problems({"a.md": "`[text](none.md)`\n\n```\n[text](none.md)\n```\n\n<!-- <a href='none.md'> -->\n"})


def test_anchors_are_those_that_github_gives_to_headings():
    text = "# `make unit`: what & why?\n## Same\n## Same\n### snake_case and [a link](x.md)\nUnderlined\n---\n"

    assert page(text).anchors == {"make-unit-what--why", "same", "same-1", "snake_case-and-a-link", "underlined"}


def test_a_page_that_code_speaks_of_must_exist():
    code = {
        "a.py": '"""See docs/b.md and docs/b.md#first."""\n# docs/c.md, docs/b.md#second\n# https://x.example/docs/d.md\n'
    }

    assert list(stale_mentions(code, {"docs/b.md": "# First\n"})) == [
        "a.py:2: there is no docs/c.md",
        "a.py:2: docs/b.md has no anchor #second",
    ]


@pytest.mark.parametrize(
    ("markdown", "number"),
    [
        ("# A title\n\nThree plain words.", 5),
        ("| a | table |\n|---|---|\n| of | four |", 4),
        ("one\n\n```sh\nmake unit\n```\n\n- two\n  ```\n  code\n  ```\n", 2),
        ("one\n\n    code by indentation\n\ntwo", 2),
        ("one <!-- a comment\nof two lines --> two", 2),
        ("one\n<!-- generated: from the model -->\nmany more words\n<!-- end generated -->\ntwo", 2),
        ("one\n<!-- inputs and outputs: scripts/module_docs.py -->\nmany more words\n<!-- end -->\ntwo", 2),
        ("[a link](of/one/word.md) and `code in line`", 6),
    ],
)
def test_words_are_those_that_a_person_wrote(markdown, number):
    assert words(markdown) == number


@pytest.mark.parametrize(
    "markdown",
    [
        "<!-- generated: x -->\nwords",
        "words\n<!-- end generated -->",
        "<!-- generated: x -->\nwords\n<!-- end -->",
    ],
)
def test_a_generated_part_without_its_other_marker_is_refused(markdown):
    with pytest.raises(MarkerError):
        words(markdown)

    assert list(too_long({"a.md": markdown}))


def test_a_page_and_the_whole_may_have_so_many_words_and_no_more(monkeypatch):
    monkeypatch.setattr(documentation, "MAX_PAGE_WORDS", 4)
    monkeypatch.setattr(documentation, "MAX_README_WORDS", 2)
    monkeypatch.setattr(documentation, "MAX_WORDS", 6)

    assert not list(too_long({"README.md": "w " * 2, "docs/a.md": "w " * 4, "CHANGELOG.md": "w " * 9}))
    assert list(too_long({"README.md": "w " * 3, "docs/a.md": "w " * 5})) == [
        "README.md: 3 words, at most 2",
        "docs/a.md: 5 words, at most 4",
        "the documentation has 8 hand-written words, at most 6",
    ]
