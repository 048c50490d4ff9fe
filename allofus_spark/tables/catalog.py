"""Every table of the warehouse by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from allofus_spark.errors import ContractViolation
from allofus_spark.settings import Settings
from allofus_spark.tables.access_tables import ACCESS_AUDIT, ACCESS_EVENTS, RESEARCHERS
from allofus_spark.tables.ancestry_tables import (
    ANCESTRY_LOADINGS,
    ANCESTRY_MODELS,
    ANCESTRY_TRAINING,
    ancestries,
)
from allofus_spark.tables.association_tables import ASSOCIATION_SUMMARIES, ASSOCIATIONS, META_ASSOCIATIONS
from allofus_spark.tables.callset_tables import CALLSETS, REJECTED_RECORDS, SAMPLES
from allofus_spark.tables.catalogue_tables import (
    CATALOGUES,
    KNOWN_PARTITIONS,
    KNOWN_VARIANTS,
    REJECTED_KNOWN_RECORDS,
)
from allofus_spark.tables.consequence_tables import CONSEQUENCES, VARIANT_SUMMARY
from allofus_spark.tables.contract import Table
from allofus_spark.tables.frequency_tables import (
    ALLELE_COUNTS,
    STRATA,
    SUBSET_PREFIX,
    allele_frequencies,
    subset_frequencies,
)
from allofus_spark.tables.novelty_tables import CATALOGUE_SETS, NOVELTY, NOVELTY_HISTORY, PARTITION_INPUTS
from allofus_spark.tables.omop_tables import OMOP_TABLES, REJECTED_OMOP_ROWS
from allofus_spark.tables.person_tables import PERSON_SAMPLES, PERSONS, REPRESENTATION
from allofus_spark.tables.phenotype_tables import (
    PHENOTYPE_CATALOGUE,
    PHENOTYPE_DEFINITIONS,
    PHENOTYPE_PEOPLE,
    PHENOTYPES,
    UNMAPPED_CODES,
)
from allofus_spark.tables.qc_tables import SAMPLE_OUTLIERS, SAMPLE_QC, variant_qc
from allofus_spark.tables.relatedness_tables import RELATED_PAIRS, UNRELATED
from allofus_spark.tables.replication_tables import (
    KNOWN_ASSOCIATIONS,
    REJECTED_KNOWN_ASSOCIATIONS,
    REPLICATION_SUMMARY,
    REPLICATIONS,
)
from allofus_spark.tables.run_tables import RUN_TABLES
from allofus_spark.tables.variant_tables import GENOTYPES, VARIANT_SITES, VARIANTS
from allofus_spark.tables.withdrawal_tables import WITHDRAWAL_PROOFS, WITHDRAWALS

# The command that fills a table; every run records itself.
MADE_BY: Mapping[str, str] = {
    **dict.fromkeys(("callsets", "variants", "variant_sites", "genotypes"), "ingest-genotypes"),
    "samples": "ingest-genotypes",
    "rejected_records": "ingest-genotypes",
    **dict.fromkeys(("variant_qc", "sample_qc"), "qc"),
    **dict.fromkeys(("ancestry_models", "ancestry_loadings", "ancestry_training"), "infer-ancestry train"),
    "ancestries": "infer-ancestry project",
    **dict.fromkeys(("related_pairs", "unrelated"), "relatedness"),
    "sample_outliers": "sample-outliers",
    **dict.fromkeys(("persons", "person_samples"), "ingest-persons"),
    "representation": "report-cohort",
    **dict.fromkeys(("strata", "allele_counts", "allele_frequencies"), "frequencies"),
    **dict.fromkeys(("catalogues", "known_variants", "known_partitions"), "ingest-catalogue"),
    "rejected_known_records": "ingest-catalogue",
    **dict.fromkeys(("catalogue_sets", "novelty", "novelty_history"), "flag-novelty"),
    "partition_inputs": "frequencies",
    "consequences": "annotate",
    "variant_summary": "summary",
    **dict.fromkeys(("phenotype_definitions", "phenotype_people"), "build-phenotypes"),
    **dict.fromkeys(("phenotypes", "phenotype_catalogue", "unmapped_codes"), "build-phenotypes"),
    **dict.fromkeys((table.contract.name for table in OMOP_TABLES.values()), "ingest-omop"),
    "rejected_omop_rows": "ingest-omop",
    **dict.fromkeys(("associations", "meta_associations", "association_summaries"), "associate"),
    **dict.fromkeys(("known_associations", "rejected_known_associations"), "ingest-known-associations"),
    **dict.fromkeys(("replications", "replication_summary"), "replicate"),
    **dict.fromkeys(("withdrawals", "withdrawal_proofs"), "withdraw"),
    **dict.fromkeys(("researchers", "access_events"), "access register"),
    "access_audit": "query",
    **dict.fromkeys(("pipeline_runs", "snapshots"), "ingest-genotypes"),
}


def how_to_make(name: str) -> str:
    """What to do where a table is not there."""
    if name in MADE_BY:
        return f"run allofus {MADE_BY[name]}"
    if name.startswith(SUBSET_PREFIX):
        subset = name.removeprefix(SUBSET_PREFIX)
        return f"run allofus frequencies --samples FILE --table {subset}"
    return "run the job that makes it"


def contracts(settings: Settings) -> Iterator[Table]:
    """All contracts, in the order in which the pipeline fills them."""
    yield from (CALLSETS, SAMPLES, VARIANTS, VARIANT_SITES, GENOTYPES, REJECTED_RECORDS)
    yield from (variant_qc(settings.frequencies.ancestry_groups), SAMPLE_QC)
    yield from (ANCESTRY_MODELS, ANCESTRY_LOADINGS, ANCESTRY_TRAINING)
    yield from (ancestries(settings.frequencies.ancestry_groups), RELATED_PAIRS, UNRELATED)
    yield from (SAMPLE_OUTLIERS, PERSONS, PERSON_SAMPLES, REPRESENTATION)
    yield from (STRATA, ALLELE_COUNTS, allele_frequencies(settings.frequencies.ancestry_groups))
    yield from (CATALOGUES, KNOWN_VARIANTS, KNOWN_PARTITIONS, REJECTED_KNOWN_RECORDS)
    yield from (CATALOGUE_SETS, NOVELTY, NOVELTY_HISTORY, CONSEQUENCES, VARIANT_SUMMARY, PARTITION_INPUTS)
    yield from (table.contract for table in OMOP_TABLES.values())
    yield from (REJECTED_OMOP_ROWS, PHENOTYPE_DEFINITIONS, PHENOTYPE_PEOPLE, PHENOTYPES)
    yield from (PHENOTYPE_CATALOGUE, UNMAPPED_CODES)
    yield from (ASSOCIATIONS, META_ASSOCIATIONS, ASSOCIATION_SUMMARIES)
    yield from (KNOWN_ASSOCIATIONS, REJECTED_KNOWN_ASSOCIATIONS, REPLICATIONS, REPLICATION_SUMMARY)
    yield from (WITHDRAWALS, WITHDRAWAL_PROOFS)
    yield from (RESEARCHERS, ACCESS_EVENTS, ACCESS_AUDIT)
    yield from RUN_TABLES


def contract(name: str, settings: Settings) -> Table:
    """The contract called ``name``; raises ContractViolation with a suggestion."""
    known = {table.name: table for table in contracts(settings)}
    if name in known:
        return known[name]
    if name.startswith(SUBSET_PREFIX):
        return subset_frequencies(name.removeprefix(SUBSET_PREFIX), settings.frequencies.ancestry_groups)
    raise no_such_table(name, list(known))


def no_such_table(name: str, known: list[str]) -> ContractViolation:
    """The error about a table that is not among ``known``, with a suggestion."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    return ContractViolation(f"there is no table {name}{hint} Tables: {', '.join(known)}")
