"""The map of a workflow: laid out without crossings, true to the file, safe with any name, readable by everybody."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from media_events_kit.ops import cli
from media_events_kit.ops.diagram.aggregation import MOST_ROWS, aggregated
from media_events_kit.ops.diagram.comparison import compared
from media_events_kit.ops.diagram.from_workflow import flow_of, pattern_in_words
from media_events_kit.ops.diagram.layout import laid_out
from media_events_kit.ops.diagram.mermaid import mermaid
from media_events_kit.ops.diagram.model import BUS, SIGNS, Edge, Flow, Node
from media_events_kit.ops.diagram.svg import DARK, LIGHT, NAME_CELLS, shortened, standalone
from tests.fakes.large_flow import large_flow
from tests.fakes.workflows import SMALL, load

HOSTILE = '"><script>alert(1)</script>%%{init: {}}%%\u202e\x1b[31m#lt;'
SPECIFICATION = """\
id: body.id
type: body.type
time: body.time
subject: body.asset
verification: {method: hmac, algorithm: sha256, encoding: hex, signature_header: x-signature, content: '{body}'}
"""
SPACE = "{http://www.w3.org/2000/svg}"


def small(*changes):
    text = SMALL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return flow_of(load(text).environments[0])


@pytest.fixture(name="large", scope="module")
def _large():
    return large_flow()


def keys(flow, kind):
    return [node.key for node in flow.of(kind)]


def test_the_map_has_every_part_of_the_file_and_what_leads_where():
    flow = small()

    assert [(node.kind, node.name, node.about) for node in flow.nodes] == [
        ("partner", "mux", "mux"),
        ("ingress", "webhook", "webhook"),
        ("bus", "event bus", ""),
        ("route", "ready", "asset.ready"),
        ("destination", "cms", "http"),
    ]
    assert [(edge.source, edge.target) for edge in flow.edges] == [
        ("partner/mux", "ingress/webhook"),
        ("ingress/webhook", BUS),
        (BUS, "route/ready"),
        ("route/ready", "destination/cms"),
    ]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ({}, "every event"),
        ({"detail": {"data": {}}}, "by content"),
        ({"source": ["partner.mux"], "detail-type": [{"prefix": "asset."}]}, "asset.* of mux"),
        ({"detail-type": ["a", {"anything-but": ["b"]}, "c"]}, "a, anything-but +1"),
        ({"detail-type": [{}, None]}, ", None"),
    ],
)
def test_a_pattern_is_told_in_a_few_words(pattern, words):
    assert pattern_in_words(pattern) == words


def test_no_two_wires_cross_and_no_two_boxes_touch(large):
    for flow in (small(), large, aggregated(large)):
        layout = laid_out(flow)
        columns = {}
        for node in flow.nodes:
            columns.setdefault(layout.boxes[node.key].x, []).append(layout.boxes[node.key])
        for boxes in columns.values():
            boxes.sort(key=lambda box: box.y)
            assert all(upper.bottom < lower.y for upper, lower in pairwise(boxes))
        for kinds in (("partner", "ingress"), ("route", "destination")):
            wires = [
                (layout.boxes[edge.source].y, layout.boxes[edge.target].y)
                for edge in flow.edges
                if (edge.source.partition("/")[0], edge.target.partition("/")[0]) == kinds
            ]
            targets = [target for _, target in sorted(wires)]
            assert targets == sorted(targets)


def test_a_map_of_60_partners_and_100_routes_has_few_rows_and_forgets_nothing(large):
    assert (len(large.of("partner")), len(large.of("route"))) == (60, 100)

    flow = aggregated(large)

    assert all(len(flow.of(kind)) <= MOST_ROWS for kind in ("partner", "ingress", "route", "transform", "destination"))
    members = {key for node in flow.nodes for key in (node.members or (node.key,))}
    assert members == {node.key for node in large.nodes}
    assert flow.description == large.description


def test_a_part_that_changed_or_needs_a_person_has_a_row_of_its_own(large):
    first, second = large.of("route")[:2]
    marked = replace(large, nodes=[replace(node, change="added") if node is first else node for node in large.nodes])

    flow = aggregated(marked, alone={second.key})

    assert {first.key, second.key} <= set(keys(flow, "route"))


def test_a_change_shows_what_is_added_removed_and_changed():
    before = small()
    after = small(
        ("  ready:\n", "  done:\n"),
        ("specification: mux", "specification: frameio-v4"),
        ("https://cms.example.com/events", "https://new.example.com/events"),
    )

    flow = compared(before, after)

    assert {node.key: node.change for node in flow.nodes if node.change} == {
        "partner/mux": "changed",
        "route/done": "added",
        "route/ready": "removed",
        "destination/cms": "changed",
    }
    assert {(edge.source, edge.target): edge.change for edge in flow.edges if edge.change} == {
        (BUS, "route/done"): "added",
        ("route/done", "destination/cms"): "added",
        (BUS, "route/ready"): "removed",
        ("route/ready", "destination/cms"): "removed",
    }
    assert "Removed: route/ready." in flow.description
    drawn = ET.fromstring(standalone(flow))
    names = [text.text for text in drawn.iter(f"{SPACE}text") if text.get("class") == "name"]
    assert {"~ mux", "+ done", "- ready", "~ cms"} <= set(names)


def hostile():
    node = Node(key=f"partner/{HOSTILE}", kind="partner", name=HOSTILE, about=HOSTILE)
    nodes = (node, Node(key=BUS, kind="bus", name="event bus"))
    return Flow(title=HOSTILE, nodes=nodes, edges=(Edge(source=node.key, target=BUS),))


def test_a_hostile_name_is_text_and_nothing_else_in_svg():
    text = standalone(hostile())

    drawn = ET.fromstring(text)
    tags = {element.tag.removeprefix(SPACE) for element in drawn.iter()}
    assert tags == {"svg", "title", "desc", "style", "rect", "text", "g", "path"}
    assert "\u202e" not in text
    assert "\x1b" not in text


def test_a_hostile_name_is_no_syntax_of_mermaid_and_no_html():
    text = mermaid(hostile())

    assert "<script" not in text
    assert "%%" not in text
    assert "\u202e" not in text
    labels = [line for line in text.splitlines() if line.strip().startswith("partner0([")]
    assert [line.count('"') for line in labels] == [2]


def test_a_map_is_told_in_words_and_takes_the_readers_colours():
    drawn = ET.fromstring(standalone(small()))

    assert drawn.get("role") == "img"
    named = drawn.get("aria-labelledby").split()
    texts = {element.get("id"): element.text for element in drawn if element.get("id")}
    assert texts[named[0]] == "media in dev"
    assert "1 partner, 1 ingress, 1 route, 1 destination" in texts[named[1]]
    assert "prefers-color-scheme:dark" in drawn.find(f"{SPACE}style").text


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_has_the_contrast_of_wcag_in_light_and_dark(colours):
    pairs = [("ink", "card"), ("soft", "card"), ("soft", "paper"), *((name, f"{name}-wash") for name in SIGNS)]

    assert {pair for pair in pairs if contrast(colours[pair[0]], colours[pair[1]]) < 4.5} == set()
    assert contrast(colours["line"], colours["paper"]) >= 3


def test_a_long_name_is_cut_in_its_middle_and_a_wide_one_sooner():
    assert shortened("ready-to-cms", NAME_CELLS) == "ready-to-cms"
    assert shortened("a" * 30 + "z" * 30, 11) == "aaaaa…zzzzz"
    assert shortened("編" * 30, 11) == "編編編…編編"


def run(capsys, *arguments):
    status = cli.run(["diagram", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.fixture(name="file")
def _file(tmp_path):
    file = tmp_path / "repository" / "workflow.yaml"
    file.parent.mkdir()
    file.write_text(SMALL)
    return file


def test_the_command_draws_a_file_as_mermaid_or_svg(capsys, file, tmp_path):
    status, out, _ = run(capsys, "--workflow", file)
    assert (status, out.splitlines()[0]) == (0, "flowchart LR")
    picture = tmp_path / "map.svg"
    assert run(capsys, "--workflow", file, "--format", "svg", "--output", picture)[:2] == (0, "")
    assert ET.parse(picture).getroot().tag == f"{SPACE}svg"


def test_the_command_compares_with_a_file_and_with_what_git_has(capsys, file, tmp_path):
    (file.parent / "mux.yaml").write_text(SPECIFICATION.replace("body.id", "body.old"))
    file.write_text(SMALL.replace("specification: mux,", "specification: mux.yaml,"))
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for arguments in (("init", "-q"), ("add", "."), (*author, "commit", "-q", "-m", "first")):
        subprocess.run(["git", *arguments], cwd=file.parent, check=True)
    (file.parent / "mux.yaml").write_text(SPECIFICATION)
    other = tmp_path / "other.yaml"
    other.write_text(SMALL.replace("  ready:\n", "  former:\n"))

    assert "~ mux" in run(capsys, "--workflow", file, "--against", "HEAD")[1]
    assert "- former" in run(capsys, "--workflow", file, "--against", other)[1]
    for unknown in ("nonsense", "--output=x"):
        status, _, said = run(capsys, "--workflow", file, f"--against={unknown}")
        assert (status, "neither a file nor a commit" in said) == (2, True)


def test_the_command_names_a_mistake_of_the_file(capsys, file):
    file.write_text(SMALL.replace("destination: cms", "destination: cmz"))
    status, out, said = run(capsys, "--workflow", file)
    assert (status, out) == (2, "")
    assert 'did you mean "cms"?' in said
