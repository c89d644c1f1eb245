"""`python main.py`: what it writes, what it says, how it ends."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 120


def run_main(environ: dict[str, str], *, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py")],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )


def test_default_workflow_is_synthesised_silently_from_any_folder(clean_environ, tmp_path, default_stacks):
    done = run_main(clean_environ | {"CDKTF_OUTDIR": str(tmp_path / "out")}, cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for environment, stack in default_stacks.items():
        path = tmp_path / "out" / "stacks" / f"media-{environment}" / "cdk.tf.json"
        assert json.loads(path.read_text(encoding="utf-8"))["output"] == stack.document["output"]


def test_mistakes_are_a_list_on_standard_error_and_no_trace(clean_environ, tmp_path):
    workflow = tmp_path / "workflow.yaml"
    text = (ROOT / "workflow.yaml").read_text(encoding="utf-8")
    workflow.write_text(
        text.replace("destination: ingest", "destination: ingset").replace("region: us-east-1", "region: here"),
        encoding="utf-8",
    )
    shutil.copytree(ROOT / "workflows", tmp_path / "workflows")

    done = run_main(
        clean_environ | {"CDKTF_OUTDIR": str(tmp_path / "out"), "MEDIA_EVENTS_WORKFLOW": str(workflow)}, cwd=tmp_path
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("workflow.yaml has 2 mistakes:\n")
    assert 'there is no destination "ingset": did you mean "ingest"?' in done.stderr
    assert "environments.local.region: must be a region such as eu-west-1" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_warnings_are_told_and_do_not_stop_the_synthesis(clean_environ, tmp_path):
    workflow = tmp_path / "workflow.yaml"
    workflow.write_text(
        "name: media\n"
        "partners: {mux: {specification: mux, ingress: webhook}}\n"
        "environments: {dev: {region: eu-west-1}}\n",
        encoding="utf-8",
    )

    done = run_main(
        clean_environ | {"CDKTF_OUTDIR": str(tmp_path / "out"), "MEDIA_EVENTS_WORKFLOW": str(workflow)}, cwd=tmp_path
    )

    assert (done.returncode, done.stdout) == (0, "")
    warnings = [line.removeprefix("workflow.yaml: warning, line 1, ") for line in done.stderr.splitlines()]
    assert warnings == [
        "routes: there are no routes: no event is delivered anywhere",
        "settings: alarms.actions.critical is empty: only who subscribes to the review topic is told of alarms",
    ]


def test_missing_packages_are_told_with_the_way_to_get_them(clean_environ, tmp_path):
    done = subprocess.run(
        [sys.executable, "-S", str(ROOT / "main.py")],
        cwd=tmp_path,
        env=clean_environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert "is not installed: run `make setup`" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_cdktf_is_told_with_the_way_to_get_it(clean_environ, tmp_path):
    without = (
        "import runpy, sys\n"
        "sys.modules['cdktf'] = None\n"
        f"runpy.run_path({str(ROOT / 'main.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", without],
        cwd=tmp_path,
        env=clean_environ | {"CDKTF_OUTDIR": str(tmp_path / "out")},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "the Python package cdktf is not installed: run `make setup`\n"


@pytest.mark.terraform
def test_cdktf_synth_gives_what_main_gives(clean_environ, tmp_path):
    """The command line runs `app` of cdktf.json, in a copy of the project so that its own cdktf.out is left alone."""
    project = tmp_path / "project"
    project.mkdir()
    for name in (
        "main.py",
        "cdktf.json",
        ".terraform.lock.hcl",
        "workflow.yaml",
        "media_events_kit",
        "workflows",
        "modules",
        "lambda_src",
    ):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__", ".terraform*"))
        else:
            shutil.copy(source, project / name)
    (project / ".venv").symlink_to(ROOT / ".venv")
    command_line = ROOT / "node_modules" / ".bin" / "cdktf"
    assert command_line.is_file(), "the CDKTF command line is not installed: run `make setup`"

    done = subprocess.run(
        [str(command_line), "synth"],
        cwd=project,
        env=clean_environ | {"CHECKPOINT_DISABLE": "1", "CI": "1", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    by_command_line = {
        path.parent.name: path.read_text(encoding="utf-8") for path in project.glob("cdktf.out/stacks/*/cdk.tf.json")
    }
    shutil.rmtree(project / "cdktf.out")
    alone = subprocess.run(
        [sys.executable, "main.py"], cwd=project, env=clean_environ, check=False, timeout=TIMEOUT_SECONDS
    )

    assert alone.returncode == 0
    assert sorted(by_command_line) == ["media-dev", "media-local", "media-prod"]
    for name, text in by_command_line.items():
        assert (project / "cdktf.out" / "stacks" / name / "cdk.tf.json").read_text(encoding="utf-8") == text
