"""A release: products in a folder of their own, attacked before the manifest makes them one."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from allofus_spark import __version__
from allofus_spark.cohort import active_samples, present, warehouse_build
from allofus_spark.errors import BadSource, Disclosure, shown
from allofus_spark.genome import build_as_text
from allofus_spark.published import ALL, FORMAT, MANIFEST, Manifest, check_version, releases_folder
from allofus_spark.release.changes import sizes_of, write_changes
from allofus_spark.release.counts import few_moved, group_sizes_shown
from allofus_spark.release.dictionary import write_dictionary
from allofus_spark.release.folder import PastRelease, new_folder, past_releases, write_json
from allofus_spark.release.making import AccessTimes, Making
from allofus_spark.release.people import sizes_by_group
from allofus_spark.release.products import make_products, write_associations, write_variants
from allofus_spark.release.writing import ProductWriter
from allofus_spark.tables import Freshness, Run, Warehouse, allele_frequencies, start_run

STAGE = "publish_release"
_ATTACKS = 4  # each after what the one before could tell of was withheld
_log = logging.getLogger(__name__)


class Told(Protocol):
    """A count of few people that follows from what is released; as text, the sentence that says how."""

    @property
    def product(self) -> str: ...

    @property
    def row(self) -> str:
        """Which row of the product; of ``variants`` as `variant_names` names it."""
        ...


class Verified(Protocol):
    """What an attacker found in products that are not exempt."""

    @property
    def n_derived(self) -> int:
        """How many counts follow."""
        ...

    @property
    def derived(self) -> Sequence[Told]:
        """The first of them."""
        ...

    def as_dict(self) -> dict[str, Any]:
        """All of it, for verification.json."""
        ...


Verify = Callable[[Path, Sequence[Path], Manifest], Verified]
Report = Callable[[Path, Manifest], object]


@dataclass(frozen=True)
class Released:
    """A release that was made; ``left_out`` says of products why, ``kept`` of ``all`` and each group how many
    variants it carries, and how many of them keep their frequency."""

    folder: Path
    manifest: Manifest
    left_out: Mapping[str, str]
    kept: Mapping[str, tuple[int, int]]
    warnings: Sequence[str]


def publish_release(
    warehouse: Warehouse,
    version: str,
    *,
    verify: Verify,
    write_report: Report | None = None,
    access_times: AccessTimes | None = None,
    releases: str | None = None,
) -> Released:
    """Publish the newest snapshot as release ``version``, in ``releases`` or the warehouse's public zone.

    ``verify`` attacks the release, with the earlier ones, before it has a manifest: variants that it can tell
    of are withheld whole, and where it derives anything then nothing is published. Raises BadSource where the
    release exists, the cohort changed by so few people that a difference would tell of them, or the
    frequencies are not current; Disclosure naming what could be derived.
    """
    check_version(version)
    place = releases_folder(warehouse.root, releases)
    with start_run(warehouse, STAGE) as run:
        _check_current(warehouse, run)
        past = past_releases(place)
        sizes = _sizes(warehouse, run, past)
        with _folder_of(place, version) as folder:
            writer = ProductWriter(folder, version, warehouse_build(warehouse))
            making = Making(warehouse, run, writer, past, sizes, access_times=access_times)
            make_products(making)
            manifest, verified = _attacked(making, version, verify)
            released = _described(making, manifest, write_report)
            write_json(folder / "verification.json", verified.as_dict())
            write_json(folder / MANIFEST, manifest.model_dump())
        run.counters.update({product.name: product.rows for product in manifest.products})
    return released


@contextmanager
def _folder_of(place: Path, version: str) -> Iterator[Path]:
    """A new folder, which goes again where the block raises."""
    folder = new_folder(place, version)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _check_current(warehouse: Warehouse, run: Run) -> None:
    groups = warehouse.settings.frequencies.ancestry_groups
    if not run.holds(allele_frequencies(groups)):
        raise BadSource("a release needs allele frequencies; run allofus frequencies first")
    if changes := Freshness(warehouse).changes("compute_frequencies"):
        raise BadSource(
            f"the allele frequencies are of before: {'; '.join(changes)}; run allofus nightly, then release"
        )


def _sizes(warehouse: Warehouse, run: Run, past: Sequence[PastRelease]) -> dict[str, int]:
    """Participants by group; raises BadSource where they changed by few since a release."""
    settings = warehouse.settings
    groups = settings.frequencies.ancestry_groups
    samples = active_samples(warehouse, run)
    labels = [sample.ancestry for slots in samples.values() for sample in present(slots)]
    sizes = sizes_by_group(labels, groups)
    now: dict[str, int | None] = {**sizes, ALL: sum(sizes.values())}
    if settings.release.policy.groups == "suppress":
        try:
            now |= group_sizes_shown(sizes, settings.release.floor)
        except ValueError as error:
            raise BadSource(f"{error}: too few to release with a floor of {settings.release.floor}") from None
    for release in past:
        if tuple(release.manifest.groups) != groups:
            raise BadSource(
                f"release {release.name} has the ancestry groups {', '.join(release.manifest.groups)}, the "
                f"settings {', '.join(groups)}: their counts cannot be held against each other; name another "
                "folder with --releases, where what both show together is no concern"
            )
        if moved := few_moved(now, sizes_of(release.folder), ALL, settings.release.floor):
            changes = [f"{name} by {change:+d}" for name, change in sorted(moved.items())]
            raise BadSource(
                f"since release {release.name} groups changed by 1 to {settings.release.floor} people, whom "
                f"the difference would tell of: {shown(changes)}. Release again when more have joined or left"
            )
    return sizes


def _attacked(making: Making, version: str, verify: Verify) -> tuple[Manifest, Verified]:
    """The manifest, not yet written, of products of which nothing follows, and what was tried.

    Of variants that the attacker can tell of all the same (he sums homozygotes over groups and releases, say)
    every cell is withheld, which tells nothing new, and he tries again. Raises Disclosure where the last
    attack still tells, or one tells of another product.
    """
    folder, earlier = making.writer.folder, [each.folder for each in making.past]
    for _ in range(_ATTACKS):
        if making.told_of:
            write_variants(making)
            write_associations(making)
        manifest = _manifest(making, version)
        _log.info(f"release {version}: attacking")
        result = verify(folder, earlier, manifest)
        if not result.n_derived:
            return manifest, result
        told_of = {told.row for told in result.derived if told.product == "variants"} - making.told_of
        if not told_of or any(told.product != "variants" for told in result.derived):
            break
        _log.warning(f"release {version}: {len(told_of)} variants can be told of, to be withheld whole")
        making.told_of |= told_of
    found = shown([str(told) for told in result.derived])
    raise Disclosure(
        f"release {version} is not published: {result.n_derived:,} counts of 1 to "
        f"{making.rules.floor} people could be derived from it: {found}"
    )


def _described(making: Making, manifest: Manifest, write_report: Report | None) -> Released:
    """What is written by the manifest: changes, dictionary and report."""
    warehouse, folder = making.warehouse, making.writer.folder
    before = making.past[-1] if making.past else None
    write_changes(folder, manifest, before, warehouse.settings.spark.driver_memory)
    write_dictionary(folder, manifest)
    if write_report is not None:
        write_report(folder, manifest)
    return Released(folder, manifest, making.left_out, making.kept, _stale(warehouse))


def _manifest(making: Making, version: str) -> Manifest:
    settings = making.warehouse.settings
    return Manifest(
        format=FORMAT,
        release=version,
        created=dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
        build=build_as_text(making.writer.build),
        groups=list(settings.frequencies.ancestry_groups),
        floor=settings.release.floor,
        round_to=settings.release.round_to,
        previous=[release.name for release in making.past],
        snapshot_id=making.warehouse.newest_snapshot().snapshot_id,
        package_version=__version__,
        settings_hash=settings.content_hash(),
        products=making.products(),
        genome_wide_p=settings.association.genome_wide_p,
    )


def _stale(warehouse: Warehouse) -> list[str]:
    """Other results that are not current, in a sentence each."""
    made = Freshness(warehouse).made()
    return [f"{each.stage.name}: {'; '.join(each.changes)}" for each in made if each.changes]
