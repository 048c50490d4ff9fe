"""A small invented release, its index and its application; a Chromium, and the pages served for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import uvicorn
from starlette.applications import Starlette

from allofus_spark.browser import create_app, prepare
from allofus_spark.published import read_manifest, table_files
from allofus_spark.report import write_report
from allofus_spark.settings import BrowserSettings
from benchmarks.synthetic import write_release
from tests.browser.chromium import Chromium, chromium

Row = dict[str, Any]


@pytest.fixture(scope="session")
def settings() -> BrowserSettings:
    """Small batches and pages, so that a small release has many of them."""
    return BrowserSettings(batch_rows=64, page_rows=10, scan_batches=4)


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("releases") / "v8"
    folder.mkdir()
    write_release(folder, n_variants=20_000)
    write_report(folder, read_manifest(folder))
    return folder


@pytest.fixture(scope="session")
def app(release: Path, tmp_path_factory: pytest.TempPathFactory, settings: BrowserSettings) -> Starlette:
    index = tmp_path_factory.mktemp("index") / "v8"
    prepare(release, index, settings)
    return create_app(release, index, settings)


@pytest.fixture(scope="session")
def rows(release: Path) -> Callable[[str], list[Row]]:
    """Every row of a product, read from the release itself."""
    held: dict[str, list[Row]] = {}

    def read(product: str) -> list[Row]:
        if product not in held:
            held[product] = [
                row for path in table_files(release, product) for row in pq.read_table(path).to_pylist()
            ]
        return held[product]

    return read


@pytest.fixture(scope="session")
def browser(oracle: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(oracle("chromium"), tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(scope="session")
def site(app: Starlette) -> Iterator[str]:
    """The address at which the application is served."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
