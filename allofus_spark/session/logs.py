"""Quiet logs: at a terminal Spark, Delta and Hail speak only when something failed.

Without this, Hail's jar brings a configuration of its own that writes every INFO line to standard output,
between the lines of a job.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_PROPERTY = "log4j2.configurationFile"
_FILE = Path(__file__).with_name("log4j2.properties")


def log_option() -> str:
    """The option for a JVM that is about to start."""
    return f"-D{_PROPERTY}={_FILE.as_uri()}"


def quieten(jvm: Any) -> None:
    """Do the same in a JVM that runs already, unless whoever started it chose a configuration."""
    if jvm.java.lang.System.getProperty(_PROPERTY) is None:
        jvm.org.apache.logging.log4j.core.config.Configurator.reconfigure(jvm.java.net.URI(_FILE.as_uri()))
