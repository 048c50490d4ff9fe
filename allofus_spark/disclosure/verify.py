"""The attack on a release: every product, with every earlier release."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from allofus_spark.disclosure.findings import Verification
from allofus_spark.disclosure.variants import Case, attack_variants
from allofus_spark.published import Manifest, read_manifest, table_files
from allofus_spark.disclosure.sizes import group_sizes


def verify_release(
    release: Path,
    earlier: Sequence[Path] = (),
    manifest: Manifest | None = None,
    floor: int | None = None,
) -> Verification:
    """What counts of 1 to the floor follow from a release and those before it.

    ``earlier``: their folders, oldest first; ``manifest``: the release's, where it is not written yet; ``floor``:
    the manifest's where None. Raises BadSource where a folder is no release.
    """
    own = manifest or read_manifest(release)
    before = [read_manifest(folder) for folder in earlier]
    result = Verification(own.release, own.floor if floor is None else floor, tuple(old.release for old in before))
    folders, manifests = [*earlier, release], [*before, own]
    groups = tuple(dict.fromkeys(group for each in manifests for group in each.groups))
    with_variants = [place for place, folder in enumerate(folders) if table_files(folder, "variants")]
    if with_variants and with_variants[-1] == len(folders) - 1:
        case = Case(
            tuple(manifests[place].release for place in with_variants),
            groups,
            tuple(group_sizes(folders[place]) for place in with_variants),
            result.floor,
        )
        attack_variants([folders[place] for place in with_variants], case, result)
    return result
