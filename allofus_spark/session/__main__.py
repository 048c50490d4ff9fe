"""`python -m allofus_spark.session FILE`: check a Spark properties file without starting anything."""

from __future__ import annotations

import sys
from pathlib import Path

from allofus_spark.errors import EnvironmentProblem
from allofus_spark.session.check import installed_versions, spark_conf_problems
from allofus_spark.session.properties import read_properties


def main(arguments: list[str]) -> int:
    """Print what is wrong with a properties file; 0 when a session can start with it."""
    if len(arguments) != 1:
        print("usage: python -m allofus_spark.session conf/spark-defaults.conf", file=sys.stderr)
        return 2
    try:
        properties = read_properties(Path(arguments[0]))
    except EnvironmentProblem as unreadable:
        print(unreadable, file=sys.stderr)
        return 2
    problems = properties.warnings() + spark_conf_problems(properties.confs, installed_versions())
    for problem in problems:
        print(f"{arguments[0]}: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
