"""What became of every record of each source file: kept + refused + collapsed + without ALT = read."""

from __future__ import annotations

from collections import Counter

from pyspark.sql import DataFrame

from allofus_spark.errors import BadSource
from allofus_spark.ingest.duplicates import Duplicates
from allofus_spark.ingest.stage import Ledger
from allofus_spark.tables import Run, SourceRecords


def balanced_files(ledger: Ledger, duplicates: Duplicates | None) -> list[SourceRecords]:
    """The account of each source file, in path order; raises BadSource where one does not balance.

    A record counts as kept while one of its alleles is; of those that lose all to duplicates, one that was
    refused decides.
    """
    left_out: dict[str, Counter[str]] = {}
    for row in duplicates.records if duplicates else ():
        left_out.setdefault(row.source_file, Counter())[row.state] += row["count"]
    files = []
    for path, counters in ledger.of_file.items():
        gone = left_out.get(path, Counter())
        file = SourceRecords(
            source_file=path,
            records_read=counters["records_read"],
            records_kept=counters["records_kept"] - gone.total(),
            records_refused=counters["records_refused"] + gone["refused"],
            records_collapsed=gone["collapsed"],
            records_without_alt=counters["records_without_alt"],
        )
        accounted = (
            file.records_kept + file.records_refused + file.records_collapsed + file.records_without_alt
        )
        if file.records_read != accounted or min(file[1:]) < 0:
            raise BadSource(
                f"{path}: {file.records_read} records were read but {accounted} are accounted for ({file}); "
                "nothing was written. This is a defect: report it."
            )
        files.append(file)
    return files


def count_records(run: Run) -> None:
    """Bring the run's counters, made before duplicates were known, to the accounts of its sources."""
    for name in ("records_kept", "records_refused", "records_collapsed"):
        run.counters[name] = sum(getattr(file, name) for file in run.sources)


def check_rejected_share(run: Run, rejected: DataFrame | None, allowed: float) -> None:
    """Raise BadSource naming reasons and examples where too many records were refused."""
    read = run.counters["records_read"]
    refused = run.counters["records_refused"] + run.counters["alleles_refused_duplicate"]
    if rejected is None or refused <= allowed * read:
        return
    reasons = ", ".join(
        f"{count} {name.removeprefix('refused_').removeprefix('alleles_refused_')}"
        for name, count in sorted(run.counters.items())
        if name.startswith("refused_") or name == "alleles_refused_duplicate"
    )
    examples = rejected.select("source_file", "chrom", "pos", "reason").take(5)
    listed = "; ".join(f"{row.source_file} {row.chrom}:{row.pos} {row.reason}" for row in examples)
    raise BadSource(
        f"{refused} records or alleles of {read} records were refused ({reasons}), more than the share of "
        f"{allowed:g} allowed; nothing was written. First: {listed}. Mend the file, or raise "
        "ingest.max_rejected_share."
    )
