"""Hail's regressions, timed in a process of their own: ``python -m benchmarks.association_hail PLAN.json``.

The plan names the VCF and the tables of `benchmarks.association_data`; what is printed last is JSON, seconds
by what was timed. The cohort is a MatrixTable before the clock starts, and each regression runs once unseen.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.association_data import COVARIATES, ours
from benchmarks.engine_hail import PARTITIONS_A_CORE


def main() -> None:
    """Command line."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(_time(plan)))


def _time(plan: dict[str, Any]) -> dict[str, float]:
    import hail as hl

    folder = Path(plan["folder"])
    hl.init(
        master=f"local[{plan['cores']}]",
        spark_conf={"spark.driver.memory": f"{plan['memory_gib']}g", "spark.ui.enabled": "false"},
        tmp_dir=str(folder / "tmp"),
        log=str(folder / "hail.log"),
        quiet=True,
    )
    hl.default_reference("GRCh38")
    matrix = str(folder / "cohort.mt")
    partitions = PARTITIONS_A_CORE * plan["cores"]
    hl.import_vcf(plan["vcf"], force_bgz=True, min_partitions=partitions).write(matrix, overwrite=True)
    calls = hl.read_matrix_table(matrix)
    for name in ("covariates", *plan["sets"].values()):
        table = hl.import_table(
            str(ours(Path(plan["tables"]), name)), key="sample_id", impute=True, missing="NA"
        )
        calls = calls.annotate_cols(**{name: table[calls.s]})
    thinned = calls.filter_rows(calls.locus.position % plan["thin"] == 0)

    def covariates(matrix: Any) -> list[Any]:
        return [1.0, *(matrix.covariates[name] for name in COVARIATES)]

    def linear() -> None:
        quantitative = calls[plan["sets"]["linear"]]
        few = [quantitative[name] for name in list(quantitative)[: plan["n_linear"]]]
        found = hl.linear_regression_rows(y=few, x=calls.GT.n_alt_alleles(), covariates=covariates(calls))
        found.write(str(folder / "linear.ht"), overwrite=True)

    def wald() -> None:
        binary = thinned[plan["sets"]["binary"]]
        first = binary[next(iter(binary))]
        found = hl.logistic_regression_rows(
            "wald", y=first, x=thinned.GT.n_alt_alleles(), covariates=covariates(thinned)
        )
        found.write(str(folder / "wald.ht"), overwrite=True)

    seconds = {"linear": _seconds(linear, plan["repeat"])}
    wald_seconds = _seconds(wald, 1)
    seconds["wald_variants"] = hl.read_table(str(folder / "wald.ht")).count()
    return {**seconds, "wald": wald_seconds, "variants": calls.count_rows()}


def _seconds(work: Callable[[], None], repeat: int) -> float:
    """The least of ``repeat`` runs after one that does not count."""
    runs = []
    for _ in range(repeat + 1):
        begun = time.perf_counter()
        work()
        runs.append(time.perf_counter() - begun)
    return min(runs[1:])


if __name__ == "__main__":
    main()
