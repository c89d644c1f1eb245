"""The names that `formerly` may have."""

from tests.fakes.workflows import problems_with

ROUTE = "  ready:\n"


def _renamed(former: str) -> str:
    return f"  finished:\n    formerly: {former}\n"


def test_route_may_have_had_other_names():
    assert problems_with({ROUTE: _renamed("[ready, done]")}) == []


def test_name_that_is_given_again_is_refused():
    other = "  ready: {pattern: {detail-type: [asset.deleted]}, destination: cms}\n"

    (problem,) = problems_with({ROUTE: other + _renamed("[ready]")})

    assert "there is another routes.ready, and both would be one in AWS" in problem


def test_its_own_name_is_no_earlier_one():
    (problem,) = problems_with({ROUTE: _renamed("[finished]")})

    assert "finished is its name now" in problem


def test_earlier_name_belongs_to_one_member():
    other = "  other: {formerly: [ready], pattern: {detail-type: [asset.deleted]}, destination: cms}\n"

    (problem,) = problems_with({ROUTE: other + _renamed("[ready]")})

    assert "ready is an earlier name of routes.other already" in problem


def test_name_in_aws_is_the_one_that_may_not_collide():
    transform = "transforms:\n  ready: {pattern: {detail-type: [a]}, steps: [{map: {id: metadata.id}}]}\n"

    (problem,) = problems_with({"routes:\n": f"{transform}routes:\n", ROUTE: _renamed("[ready]")})

    assert "a transform has this name too" in problem
    assert "routes.finished" in problem
