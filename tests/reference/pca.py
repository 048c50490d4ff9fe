"""Principal components by PLINK 2 and by Hail, of given sites and samples."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Site = tuple[str, int, str, str]


def pca_with_plink(
    plink2: str, vcf: Path, sites: Sequence[Site], keep: Sequence[str], n_pcs: int, folder: Path
) -> tuple[list[str], Floats, Floats]:
    """Sample ids, unit eigenvectors float64[n, n_pcs] and eigenvalues of ``--pca``."""
    chosen, people, out = folder / "sites.txt", folder / "keep.txt", folder / "plink"
    chosen.write_text("".join(f"{':'.join(map(str, site))}\n" for site in sites))
    people.write_text("".join(f"{name}\n" for name in keep))
    subprocess.run(
        [plink2, "--vcf", str(vcf), "--set-all-var-ids", "@:#:$r:$a", "--new-id-max-allele-len", "500",
         "--output-chr", "chrM", "--extract", str(chosen), "--keep", str(people), "--pca", str(n_pcs),
         "--threads", "2", "--out", str(out)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    rows = [line.split("\t") for line in out.with_suffix(".eigenvec").read_text().splitlines()[1:]]
    vectors = np.array([[float(value) for value in row[-n_pcs:]] for row in rows])
    return [row[0] for row in rows], vectors, np.loadtxt(out.with_suffix(".eigenval"))


def pca_with_hail(
    vcf: Path, build: str, sites: Sequence[Site], keep: Sequence[str], n_pcs: int
) -> tuple[dict[str, Floats], dict[Site, Floats], Floats]:
    """Scores by sample, loadings by site and eigenvalues of ``hwe_normalized_pca``; Hail is started."""
    import hail as hl

    rows = hl.import_vcf(str(vcf), reference_genome=build, force_bgz=True, array_elements_required=False)
    people, keys = hl.literal(set(keep)), hl.literal({":".join(map(str, site)) for site in sites})
    key = hl.delimit([rows.locus.contig, hl.str(rows.locus.position), rows.alleles[0], rows.alleles[1]], ":")
    rows = rows.filter_rows((hl.len(rows.alleles) == 2) & keys.contains(key))
    rows = rows.filter_cols(people.contains(rows.s))
    eigenvalues, scores, loadings = hl.hwe_normalized_pca(rows.GT, k=n_pcs, compute_loadings=True)
    by_site = {
        (row.locus.contig, row.locus.position, *row.alleles): np.array(row.loadings)
        for row in loadings.collect()
    }
    return {row.s: np.array(row.scores) for row in scores.collect()}, by_site, np.array(eigenvalues)
