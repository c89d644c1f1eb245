"""Mermaid itself draws what `media-events diagram` writes, and the diagrams of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from media_events_kit.ops.diagram.aggregation import aggregated
from media_events_kit.ops.diagram.comparison import compared
from media_events_kit.ops.diagram.from_workflow import flow_of
from media_events_kit.ops.diagram.mermaid import mermaid
from media_events_kit.ops.diagram.model import BUS, Edge, Flow, Node
from media_events_kit.ops.diagram.versions import environment_of
from tests.fakes.large_flow import large_flow

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "node_modules/mermaid/dist/mermaid.min.js"
DRAW = """async (text) => {
  const drawn = await mermaid.render("drawn", text);
  return new DOMParser().parseFromString(drawn.svg, "text/html").body.textContent;
}"""
BLOCK = re.compile(r"^```mermaid\n(.*?)^```", re.DOTALL | re.MULTILINE)
HOSTILE = '"><script>alert(1)</script>%%{init: {}}%%#lt;`end`'


@pytest.fixture(name="page", scope="module")
def _page(chromium):
    page = chromium.new_page()
    page.goto("about:blank")
    page.add_script_tag(path=SCRIPT)
    # Its own limits of text and edges, as on GitHub.
    page.evaluate("mermaid.initialize({ startOnLoad: false })")
    yield page
    page.close()


def own():
    return flow_of(environment_of(ROOT / "workflow.yaml", "dev"))


def hostile():
    nodes = (
        Node(key="partner/x", kind="partner", name=HOSTILE, about=HOSTILE),
        Node(key="ingress/x", kind="ingress", name="end"),
        Node(key=BUS, kind="bus", name="event bus"),
    )
    edges = (Edge(source="partner/x", target="ingress/x"), Edge(source="ingress/x", target=BUS))
    return Flow(title=HOSTILE, nodes=nodes, edges=edges)


@pytest.mark.parametrize(
    ("flow", "told"),
    [
        (own, ["frameio", "normalise-asset", "everything-to-lake", "review-tool"]),
        (lambda: aggregated(large_flow()), ["15 partners", "17 routes"]),
        (lambda: aggregated(compared(own(), large_flow())), ["frameio"]),
        (hostile, ["alert(1)"]),
    ],
    ids=["the repository's workflow", "60 partners and 100 routes", "a comparison", "hostile names"],
)
def test_mermaid_draws_what_the_command_writes(page, flow, told):
    # It breaks lines between words.
    drawn = " ".join(page.evaluate(DRAW, mermaid(flow())).split())
    assert [part for part in told if part not in drawn] == [], drawn
    assert page.locator("script[src]").count() == 0


def test_mermaid_reads_every_diagram_of_the_documentation(page):
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    diagrams = {
        f"{file.name} {number}": text
        for file in pages
        for number, text in enumerate(
            re.findall(r"^```mermaid\n(.*?)^```", file.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        )
    }
    assert len(diagrams) > 10
    parse = "async (text) => { try { await mermaid.parse(text); return ''; } catch (error) { return String(error); } }"
    assert {name: problem for name, text in diagrams.items() if (problem := page.evaluate(parse, text))} == {}
