"""``allofus browse``: pages from processes of its own, and a sentence for what cannot be served."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest
from click.testing import CliRunner

from allofus_spark.cli import main

_COMMAND = "from allofus_spark.cli import main; main()"
_SECONDS = 60


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return bytes(answer.read())


def wait_for(address: str, process: subprocess.Popen[bytes]) -> bytes:
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            return get(address)
        except URLError:
            time.sleep(0.1)
    raise AssertionError(f"no answer; exit status {process.poll()}")


def test_a_release_of_a_warehouse_is_served_until_the_process_is_told_to_end(
    release: Path, tmp_path: Path
) -> None:
    (tmp_path / "public" / "releases").mkdir(parents=True)
    (tmp_path / "public" / "releases" / "v8").symlink_to(release)
    port = free_port()
    command = [sys.executable, "-c", _COMMAND, "browse", "--version", "v8", "--warehouse", str(tmp_path)]
    command += ["--port", str(port), "--index", str(tmp_path / "index")]
    before = release.stat().st_mtime_ns
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env=os.environ | {"JAVA_HOME": "/nowhere"}
    ) as process:
        try:
            assert json.loads(wait_for(f"http://127.0.0.1:{port}/release.json", process))["release"] == "v8"
            assert b"Variants by ancestry" in get(f"http://127.0.0.1:{port}/")
        finally:
            process.send_signal(signal.SIGTERM)
            printed, _ = process.communicate(timeout=30)
    assert f"http://127.0.0.1:{port}/".encode() in printed
    assert (tmp_path / "index" / "variants.arrow").is_file()
    assert release.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["nowhere"], "nowhere is no release: it has no manifest.json"),
        (["x", "--port", "0"], "browser.port"),
    ],
)
def test_what_cannot_be_served_is_said(options: list[str], sentence: str) -> None:
    result = CliRunner().invoke(main, ["browse", *options])
    assert result.exit_code == 1
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_port_that_is_taken_is_said(release: Path, tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = str(held.getsockname()[1])
        options = [str(release), "--port", port, "--index", str(tmp_path / "index")]
        result = CliRunner().invoke(main, ["browse", *options])
    assert result.exit_code == 1
    assert f"port {port} of 127.0.0.1 cannot be listened on" in result.output
