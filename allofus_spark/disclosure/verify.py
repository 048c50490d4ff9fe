"""The attack on a release: every product, with every earlier release."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from allofus_spark.disclosure.associations import attack_analysed, attack_associations
from allofus_spark.disclosure.changes import attack_small_changes
from allofus_spark.disclosure.copies import attack_copies
from allofus_spark.disclosure.findings import Verification
from allofus_spark.disclosure.margins import attack_representation
from allofus_spark.disclosure.phenotypes import attack_phenotypes
from allofus_spark.disclosure.remainders import attack_density, attack_times
from allofus_spark.disclosure.scan import scan_release
from allofus_spark.disclosure.singletons import attack_singletons
from allofus_spark.disclosure.sizes import Sizes, attack_sizes, group_sizes
from allofus_spark.disclosure.variants import Case, attack_variants
from allofus_spark.disclosure.whole import check_whole, reading
from allofus_spark.published import Manifest, read_manifest, table_files


def verify_release(
    release: Path,
    earlier: Sequence[Path] = (),
    manifest: Manifest | None = None,
    floor: int | None = None,
) -> Verification:
    """What counts of 1 to the floor follow from a release and those before it.

    ``earlier``: their folders, oldest first; ``manifest``: the release's, where it is not written yet;
    ``floor``: the manifest's where None. What follows from products that the manifest calls exempt is counted
    apart. Raises BadSource where a folder is no release, or, without ``manifest``, not the one that its
    manifest describes.
    """
    with reading(release):
        for folder in () if manifest else (release, *earlier):
            check_whole(folder, read_manifest(folder))
        return _attack(release, earlier, manifest or read_manifest(release), floor)


def _attack(release: Path, earlier: Sequence[Path], own: Manifest, floor: int | None) -> Verification:
    """All attacks, on the release whose manifest is ``own``."""
    manifests = [*(read_manifest(folder) for folder in earlier), own]
    folders, names = [*earlier, release], [each.release for each in manifests]
    exempt = frozenset(product.name for product in own.products if product.policy == "exempt")
    result = Verification(own.release, own.floor if floor is None else floor, tuple(names[:-1]), exempt)
    groups = tuple(dict.fromkeys(group for each in manifests for group in each.groups))
    sizes = [group_sizes(folder) for folder in folders]
    kept = [each.floor for each in manifests]
    called = _attack_variants(folders, names, sizes, groups, kept, result)
    attack_sizes(names, sizes, called, result)
    scan_release(release, result)
    attack_phenotypes(release, sizes[-1], own.round_to, result)
    attack_associations(release, own.round_to, result)
    attack_analysed(release, own.round_to, result)
    attack_representation(release, own.round_to, result)
    attack_density(release, sizes[-1], own.round_to, result)
    attack_times(release, own.round_to, result)
    attack_small_changes(release, list(zip(names[:-1], earlier, strict=True)), own.round_to, result)
    attack_singletons(release, result)
    attack_copies(release, groups, result)
    return result


def _attack_variants(
    folders: Sequence[Path],
    names: Sequence[str],
    sizes: Sequence[Sizes],
    groups: tuple[str, ...],
    kept: Sequence[int],
    result: Verification,
) -> list[dict[str, int]]:
    """The releases that have variants, together; of every release the most alleles called of each group."""
    called: list[dict[str, int]] = [{} for _ in folders]
    if not table_files(folders[-1], "variants"):
        return called
    places = [place for place, folder in enumerate(folders) if table_files(folder, "variants")]
    case = Case(
        tuple(names[place] for place in places),
        groups,
        tuple(sizes[place] for place in places),
        result.floor,
        tuple(kept[place] for place in places),
    )
    found = attack_variants([folders[place] for place in places], case, result)
    for place, of_release in zip(places, found, strict=True):
        called[place] = of_release
    return called
