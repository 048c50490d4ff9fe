"""What the rows of ``novelty`` are made from, partition by partition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from allofus_spark.cohort import variant_partitions
from allofus_spark.novelty.catalogue_sets import Revision
from allofus_spark.novelty.judge import Catalogue, digest
from allofus_spark.tables import CALLSETS, KNOWN_PARTITIONS, Inputs, Partition, Run

# Raised when the same alleles and catalogues give other rows than before.
_RULES_VERSION = "1"


def inputs_today(run: Run, revision: Revision) -> dict[Partition, Inputs]:
    """Fingerprints of what each partition's rows are made from."""
    fastas = aligned_with(run)
    known: dict[tuple[str, str], dict[Partition, str]] = defaultdict(dict)
    for row in run.rows(KNOWN_PARTITIONS):
        known[row.catalogue, row.version][row.contig, row.bin] = f"{row.n_alleles}:{row.content_hash}"
    return {
        place: {
            "rules": _RULES_VERSION,
            "variants": partition.fingerprint,
            "alignment": digest({name: fastas.get(name) for name in partition.callset_ids}),
            **{
                f"catalogue {item.name}": _catalogue_input(item, known[item.name, item.version], place)
                for item in revision.catalogues
            },
        }
        for place, partition in variant_partitions(run).items()
    }


def _catalogue_input(catalogue: Catalogue, content: Mapping[Partition, str], place: Partition) -> str:
    covered = catalogue.covered_on(place[0])
    return f"{content.get(place, '0:0')}:{digest([covered, catalogue.normalised_with])}"


def aligned_with(run: Run) -> dict[str, str | None]:
    """Checksum of the FASTA that each callset was left-aligned against; None: only trimmed."""
    return {row.callset_id: row.normalised_with for row in run.rows(CALLSETS)}
