"""A transform's own Python modules, next to the stack that makes a layer of them."""

import zipfile

WORKFLOW = """\
name: media
partners:
  mux: {specification: mux, ingress: webhook}
transforms:
  own:
    pattern: {source: [partner.mux]}
    package: ./steps
    layers: ["arn:aws:lambda:eu-west-1:123456789012:layer:acme:7"]
    steps:
      - python: {function: "acme_steps:tidy"}
  plain:
    pattern: {source: [partner.other]}
    steps:
      - set: {a: 1}
environments:
  dev: {region: eu-west-1}
"""


def test_package_is_written_next_to_the_stack(synthesise, tmp_path):
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "acme_steps.py").write_text("def tidy(event): return None\n", encoding="utf-8")

    stack = synthesise(WORKFLOW)["dev"]

    transforms = stack.module("router")["transforms"]
    assert transforms["own"]["package"] == "./packages/own.zip"
    assert transforms["own"]["layers"] == ["arn:aws:lambda:eu-west-1:123456789012:layer:acme:7"]
    assert zipfile.ZipFile(stack.folder / "packages" / "own.zip").namelist() == ["python/acme_steps.py"]
    assert not {"package", "layers"} & transforms["plain"].keys()
