"""`python -m allofus_spark.session FILE…`: check Spark properties files without starting anything."""

from __future__ import annotations

import sys
from pathlib import Path

from allofus_spark.errors import EnvironmentProblem
from allofus_spark.session.check import installed_versions, spark_conf_problems
from allofus_spark.session.properties import read_properties


def main(arguments: list[str]) -> int:
    """Print what is wrong with properties files, taken as one; 0 when a session can start with them."""
    if not arguments:
        print(
            "usage: python -m allofus_spark.session conf/spark-defaults.conf [conf/s3.conf]", file=sys.stderr
        )
        return 2
    try:
        properties = read_properties(*map(Path, arguments))
    except EnvironmentProblem as unreadable:
        print(unreadable, file=sys.stderr)
        return 2
    problems = properties.warnings() + spark_conf_problems(properties.confs, installed_versions())
    for problem in problems:
        print(f"{' '.join(arguments)}: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
