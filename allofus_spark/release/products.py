"""Every product of a release from the tables of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame

from allofus_spark.cohort import passing_alleles, read_frequencies
from allofus_spark.errors import BadSource
from allofus_spark.published import ALL
from allofus_spark.release.associations import (
    meta_rows,
    releasable,
    replication_rows,
    summary_rows,
    with_sizes,
)
from allofus_spark.release.changes import sizes_of
from allofus_spark.release.classes import merged_rare_classes
from allofus_spark.release.density import density_rows
from allofus_spark.release.folder import PastRelease
from allofus_spark.release.lookups import consequence_rows, gene_rows, rsid_rows
from allofus_spark.release.making import Making
from allofus_spark.release.people import Small, group_rows, phenotype_rows, representation_rows
from allofus_spark.release.variants import WithholdCells, variant_rows
from allofus_spark.tables import (
    ALLELE_KEY,
    ASSOCIATION_SUMMARIES,
    ASSOCIATIONS,
    CONSEQUENCES,
    META_ASSOCIATIONS,
    NOVELTY,
    PHENOTYPE_CATALOGUE,
    PHENOTYPE_DEFINITIONS,
    REPLICATION_SUMMARY,
    REPLICATIONS,
    REPRESENTATION,
    VARIANT_SUMMARY,
    VARIANTS,
    Table,
    ancestries,
)


def make_products(making: Making) -> None:
    """Write every product that there are tables for; raises BadSource where no variant is to be released."""
    making.add_small("groups", group_rows(making.sizes, making.rules), "callsets", "samples", "ancestries")
    write_variants(making)
    _lookups(making)
    _variant_counts(making)
    _phenotypes(making)
    _associations(making)
    _representation(making)
    _density(making)
    _access_times(making)


def write_variants(making: Making) -> None:
    """Write ``variants``, in the place of what was written before."""
    making.forget("variants")
    run, rules, groups = making.run, making.rules, making.groups
    frequencies = read_frequencies(run, groups)
    if making.warehouse.settings.summary.passing_only:
        frequencies = frequencies.join(passing_alleles(run), list(ALLELE_KEY), "left_semi")
    earlier = [making.released_by(release, "variants") for release in making.past]
    frame = variant_rows(
        frequencies,
        run.read(VARIANTS),
        making.chosen(NOVELTY, "catalogue_set", rules.catalogue_set),
        making.chosen(CONSEQUENCES, "annotator", rules.annotator),
        earlier,
        groups=groups,
    )
    withholding = WithholdCells(
        groups=groups,
        build=making.writer.build,
        floor=rules.floor,
        everything=rules.policy.variants == "exempt",
        people=(sum(making.sizes.values()), *(making.sizes[group] for group in groups)),
        people_then=tuple(_people_of(release, groups) for release in making.past),
        told_of=frozenset(making.told_of),
    )
    written = making.writer.write_frame(making.contracts["variants"], frame, make=withholding, groups=groups)
    if written is None:
        raise BadSource("no variant is to be released: nobody carries one at a site that passed its filters")
    counted = dict(written.counters)
    making.kept = {
        group: (counted.pop(f"carried_{group}"), counted.pop(f"kept_{group}")) for group in (ALL, *groups)
    }
    tables = ("allele_frequencies", "variants", "variant_sites", "novelty", "consequences")
    making.add("variants", written, counted, *tables)


def _people_of(release: PastRelease, groups: Sequence[str]) -> tuple[int, ...]:
    sizes = sizes_of(release.folder)
    shown = [sizes.get(group) for group in (ALL, *groups)]
    return tuple(-1 if size is None else size for size in shown)


def _lookups(making: Making) -> None:
    """Consequences and genes of released variants, and their rs numbers."""
    released = making.released("variants")
    consequences = None
    if making.wanted("consequences", CONSEQUENCES) | making.wanted("genes", CONSEQUENCES):
        chosen = making.chosen(CONSEQUENCES, "annotator", making.rules.annotator)
        consequences = consequence_rows(chosen, released)
    for product, frame in (
        ("consequences", consequences),
        ("genes", None if consequences is None else gene_rows(consequences)),
        ("rsids", rsid_rows(released)),
    ):
        if frame is not None and product not in making.left_out and making.wanted(product):
            written = making.writer.write_frame(making.contracts[product], frame)
            making.add(product, written, {}, *(("novelty",) if product == "rsids" else ("consequences",)))


def _variant_counts(making: Making) -> None:
    if making.wanted("variant_counts", VARIANT_SUMMARY):
        rules = making.rules
        chosen = (rules.catalogue_set, rules.annotator)
        rows = [
            row.asDict()
            for row in making.run.rows(VARIANT_SUMMARY)
            if (row.catalogue_set, row.annotator) == chosen
        ]
        if rules.policy.variants != "exempt":
            rows = merged_rare_classes(rows, making.sizes, rules.floor)
        making.add_small(
            "variant_counts", Small(_columns_of(making, "variant_counts", rows), {}), "variant_summary"
        )


def _columns_of(making: Making, product: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = [column.name for column in making.contracts[product].columns]
    return [{name: row[name] for name in names} for row in rows]


def _phenotypes(making: Making) -> None:
    if making.wanted("phenotypes", PHENOTYPE_CATALOGUE, PHENOTYPE_DEFINITIONS):
        definitions = {row.phenotype_id: row for row in making.run.rows(PHENOTYPE_DEFINITIONS)}
        catalogue = making.run.rows(PHENOTYPE_CATALOGUE)
        small = phenotype_rows(catalogue, definitions, making.sizes_shown, making.rules)
        making.add_small("phenotypes", small, "phenotype_catalogue", "phenotype_definitions")


def _associations(making: Making) -> None:
    run, rules = making.run, making.rules
    if not run.holds(ASSOCIATION_SUMMARIES):
        reason = "there is no table association_summaries"
        names = ("associations", "meta_associations", "association_summaries")
        making.left_out |= dict.fromkeys((*names, "replications", "replication_summary"), reason)
        return
    if making.wanted("association_summaries"):
        small = summary_rows(run.rows(ASSOCIATION_SUMMARIES), rules)
        making.add_small("association_summaries", small, "association_summaries")
    write_associations(making)
    if making.wanted("replication_summary", REPLICATION_SUMMARY):
        rows = [row.asDict() for row in run.rows(REPLICATION_SUMMARY)]
        small = Small(_columns_of(making, "replication_summary", rows), {})
        making.add_small("replication_summary", small, "replication_summary")


def write_associations(making: Making) -> None:
    """Write what goes by the variants that are shown, in the place of what was written before."""
    for product in ("associations", "meta_associations", "replications"):
        making.forget(product)
    for product, frame, table in _association_frames(making):
        written = making.writer.write_frame(making.contracts[product], frame)
        withheld = {} if written is None else {"rows": _missing(making, product, table, written.rows)}
        making.add(product, written, withheld, table.name)


def _association_frames(making: Making) -> Iterator[tuple[str, DataFrame, Table]]:
    run, rules = making.run, making.rules
    if not run.holds(ASSOCIATIONS):
        return
    shown = releasable(run.read(ASSOCIATIONS), making.released("variants"), rules)
    if making.wanted("associations", ASSOCIATIONS):
        exact = rules.policy.associations == "exempt"
        yield "associations", with_sizes(shown, exact=exact), ASSOCIATIONS
        if making.has("associations"):
            shown = making.released("associations")  # the same rows, found already
    if making.wanted("meta_associations", META_ASSOCIATIONS):
        metas = meta_rows(run.read(META_ASSOCIATIONS), shown, rules)
        exact = rules.policy.meta_associations == "exempt"
        yield "meta_associations", with_sizes(metas, exact=exact), META_ASSOCIATIONS
    if making.wanted("replications", REPLICATIONS):
        yield "replications", replication_rows(run.read(REPLICATIONS), shown, rules), REPLICATIONS


def _missing(making: Making, product: str, table: Table, rows: int) -> int:
    """Rows of a table that the product does not show, or shows without its numbers."""
    if product == "replications":
        return making.released(product).where("is_withheld").count()
    tested = making.run.read(table)
    return int((tested.where("status = 'ok'") if table is ASSOCIATIONS else tested).count() - rows)


def _representation(making: Making) -> None:
    if making.wanted("representation", REPRESENTATION):
        rows = making.run.rows(REPRESENTATION)
        small = representation_rows(rows, sum(making.sizes.values()), making.rules)
        making.add_small("representation", small, "representation")


def _density(making: Making) -> None:
    table = ancestries(making.groups)
    if making.wanted("ancestry_density", table):
        small = density_rows(making.run.read(table), making.rules)
        making.add_small("ancestry_density", small, "ancestries")


def _access_times(making: Making) -> None:
    if not making.wanted("access_times"):
        return
    if making.access_times is None:
        making.left_out["access_times"] = "no times of access were handed in"
        return
    rules = making.rules
    exact = rules.policy.access_times == "exempt"
    times = making.access_times(making.warehouse, 0 if exact else rules.floor, 1 if exact else rules.round_to)
    rows = [time._asdict() for time in times]
    making.add_small("access_times", Small(rows, {}))
