"""The browser as a server of several processes."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from allofus_spark.browser.app import create_app
from allofus_spark.browser.index import prepare
from allofus_spark.errors import EnvironmentProblem
from allofus_spark.settings import BrowserSettings

_RELEASE, _INDEX, _SETTINGS = (
    "ALLOFUS_BROWSE_RELEASE",
    "ALLOFUS_BROWSE_INDEX",
    "ALLOFUS_BROWSE_SETTINGS",
)


def serve(
    release: Path,
    settings: BrowserSettings,
    index: Path | None = None,
    *,
    announce: Callable[[str], object] = print,
) -> None:
    """Serve a release until the process is told to end; ``announce`` is given the address.

    ``index``: folder of its index, made where it is not there and kept; None: a temporary one.
    """
    _check_port(settings)
    with tempfile.TemporaryDirectory(prefix="allofus-browse-") as temporary:
        folder = index or Path(temporary) / "index"
        prepare(release, folder, settings)
        create_app(
            release, folder, settings
        )  # says here what is wrong, where workers would die over and over
        announce(f"Pages at http://{settings.host}:{settings.port}/ (Ctrl-C ends them)")
        # Workers are new processes: what they serve is told to them by their environment.
        os.environ |= {
            _RELEASE: str(release.resolve()),
            _INDEX: str(folder.resolve()),
            _SETTINGS: settings.model_dump_json(),
        }
        uvicorn.run(
            "allofus_spark.browser.serve:app_of_environment",
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            access_log=False,
            log_level="warning",
            server_header=False,
            date_header=False,
            timeout_keep_alive=15,
        )


def _check_port(settings: BrowserSettings) -> None:
    """Raise EnvironmentProblem where the port is taken, before the work of an index."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((settings.host, settings.port))
        except OSError as error:
            raise EnvironmentProblem(
                f"port {settings.port} of {settings.host} cannot be listened on ({error.strerror or error}): "
                "give another by --port"
            ) from error


def app_of_environment() -> Starlette:
    """The application of one worker process."""
    settings = BrowserSettings.model_validate_json(os.environ[_SETTINGS])
    return create_app(Path(os.environ[_RELEASE]), Path(os.environ[_INDEX]), settings)
