"""Invented variants with their consequences and look-ups, as whole columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.genome import load_build
from allofus_spark.published import products
from allofus_spark.tables.contract import Table
from benchmarks.synthetic.shape import as_table, text_lists

TERMS = ("intron_variant", "synonymous_variant", "missense_variant", "stop_gained", "3_prime_UTR_variant")
_IMPACTS = ("MODIFIER", "LOW", "MODERATE", "HIGH", "MODIFIER")
_TERM_SHARES = (0.7, 0.1, 0.12, 0.01, 0.07)
_IS_CODING = np.array([False, True, True, True, False])
NOVELTY = ("reported", "known_site_new_allele", "unreported", "not_assessable")
_BASES = np.array(["A", "C", "G", "T"])
_GENE_SPACING, _GENE_LENGTH = 150_000, 60_000  # bases
_AF_SHAPE = 0.14  # of the beta distribution that allele frequencies are drawn from

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Contig:
    """Alleles of one contig, each array [n]; ``gene``: number of the gene, −1 for none."""

    name: str
    position: npt.NDArray[np.int64]
    ref: npt.NDArray[np.str_]
    alt: npt.NDArray[np.str_]
    ids: npt.NDArray[np.str_]
    gene: npt.NDArray[np.int64]
    term: npt.NDArray[np.int64]
    rs_number: npt.NDArray[np.int64]

    def allele(self) -> dict[str, Any]:
        """The columns that name an allele."""
        return {
            "contig": np.repeat(self.name, len(self.position)),
            "position": self.position,
            "ref": self.ref,
            "alt": self.alt,
            "variant_id": self.ids,
        }

    def gene_names(self) -> pa.Array:
        """Names of the genes; null for none."""
        short = self.name.removeprefix("chr")
        return pa.array(
            [None if gene < 0 else f"SYN{short}_{gene}" for gene in self.gene.tolist()], pa.string()
        )

    def gene_ids(self) -> pa.Array:
        """Ids of the genes; null for none."""
        return pc.replace_substring(self.gene_names(), "SYN", "ENSGSYN")


def make_contigs(n: int, seed: int) -> Iterator[Contig]:
    """About ``n`` alleles over the autosomes of GRCh38, contig by contig in the build's order."""
    lengths = {
        name: length for name, length in load_build("GRCh38").contig_lengths.items() if name[3:].isdigit()
    }
    whole = sum(lengths.values())
    for name in lengths:
        rng = np.random.default_rng((seed, int(name[3:])))
        yield _contig(name, max(int(n * lengths[name] / whole), 1), lengths[name], rng)


def _contig(name: str, n: int, length: int, rng: np.random.Generator) -> Contig:
    position = np.unique(rng.integers(10_001, length - 10_000, n))
    n = len(position)
    first = rng.integers(0, 4, n)
    ref, alt = _BASES[first], _BASES[(first + rng.integers(1, 4, n)) % 4]
    is_in_gene = position % _GENE_SPACING < _GENE_LENGTH
    short = name.removeprefix("chr")
    ids = np.array([f"{short}-{at}-{a}-{b}" for at, a, b in zip(position.tolist(), ref, alt, strict=True)])
    return Contig(
        name=name,
        position=position,
        ref=ref,
        alt=alt,
        ids=ids,
        gene=np.where(is_in_gene, position // _GENE_SPACING, -1),
        term=rng.choice(len(TERMS), n, p=_TERM_SHARES),
        rs_number=np.where(rng.random(n) < 0.8, int(short) * 1_000_000_000 + position, 0),
    )


def variants_of(
    contig: Contig, table: Table, groups: Sequence[str], sizes: Sequence[int], floor: int, rng: Any
) -> pa.Table:
    """The product variants of a contig; cells with 1 to ``floor`` copies of alt or ref are withheld."""
    n = len(contig.position)
    columns = contig.allele() | _descriptions(contig, rng)
    shared = rng.beta(_AF_SHAPE, 1.2, n)
    total_ac, total_an = np.zeros(n, np.int64), 2 * sum(sizes)
    withheld = np.zeros((n, len(groups) + 1), bool)
    best, best_of = np.full(n, -1.0), np.zeros(n, np.int64)
    for number, (group, size) in enumerate(zip(groups, sizes, strict=True)):
        ac = rng.binomial(2 * size, np.clip(shared * rng.gamma(4, 0.25, n), 0, 1))
        total_ac += ac
        is_hidden = withheld[:, number + 1] = _is_small(ac, 2 * size, floor)
        columns |= _frequency(group, ac, 2 * size, is_hidden, floor)
        af = np.where(is_hidden, -1.0, ac / (2 * size))
        best_of = np.where(af > best, number, best_of)
        best = np.maximum(af, best)
    # One group alone withheld would follow from the total.
    withheld[:, 0] = (withheld[:, 1:].sum(axis=1) == 1) | _is_small(total_ac, total_an, floor)
    columns |= _frequency("all", total_ac, total_an, withheld[:, 0], floor)
    columns["withheld"] = _names_where(withheld, ("all", *groups))
    is_known = best > 0
    columns["max_af"] = pa.array(best, mask=~is_known)
    columns["max_af_group"] = pa.array(np.array(groups)[best_of], mask=~is_known)
    return as_table(table, columns)


def _is_small(ac: Any, an: int, floor: int) -> Any:
    small = np.minimum(ac, an - ac)
    return (small >= 1) & (small <= floor)


def _frequency(name: str, ac: Any, an: int, is_hidden: Any, floor: int) -> dict[str, Any]:
    af = ac / an
    n_hom = np.floor(af * af * an / 2).astype(np.int64)
    hom_ref = an // 2 - ac + n_hom
    shown = (n_hom > floor) & (ac - 2 * n_hom > floor) & (hom_ref > floor) | (ac == 0)
    return {
        f"{name}_ac": pa.array(ac, mask=is_hidden),
        f"{name}_an": np.full(len(ac), an),
        f"{name}_af": pa.array(af, mask=is_hidden),
        f"{name}_faf95": pa.array(np.maximum(af - 1.645 * np.sqrt(af / an), 0), mask=is_hidden),
        f"{name}_n_hom": pa.array(n_hom, mask=is_hidden | ~shown),
    }


def _names_where(withheld: Any, names: Sequence[str]) -> pa.ListArray:
    offsets = np.concatenate([[0], np.cumsum(withheld.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.array(names)[np.nonzero(withheld)[1]]))


def _descriptions(contig: Contig, rng: Any) -> dict[str, Any]:
    n = len(contig.position)
    outside = contig.gene < 0
    names = contig.gene_names()
    changes = pa.array(np.char.add(np.char.add("p.", contig.ref), contig.alt), mask=contig.term != 2)
    rsids = text_lists(
        contig.rs_number > 0, pa.array([f"rs{rs}" for rs in contig.rs_number.tolist() if rs > 0])
    )
    return {
        "rsids": rsids,
        "variant_type": np.repeat("snv", n),
        "novelty": np.where(contig.rs_number > 0, NOVELTY[0], np.array(NOVELTY)[rng.integers(1, 4, n)]),
        "gene_symbol": names,
        "gene_id": contig.gene_ids(),
        "transcript_id": pc.replace_substring(names, "SYN", "ENSTSYN"),
        "consequence": pa.array(np.array(TERMS)[contig.term], mask=outside),
        "impact": pa.array(np.array(_IMPACTS)[contig.term], mask=outside),
        "aa_change": pc.if_else(pa.array(outside), pa.scalar(None, pa.string()), changes),
        "is_coding": pa.array(_IS_CODING[contig.term], mask=outside),
    }


def consequences_of(contig: Contig, rng: Any) -> pa.Table:
    """Consequences: each allele of a gene in one transcript or two."""
    (table,) = (item for item in products(("afr",)) if item.name == "consequences")
    inside = np.nonzero(contig.gene >= 0)[0]
    rows = np.repeat(inside, rng.integers(1, 3, len(inside)))
    second = np.zeros(len(rows), bool)
    second[1:] = rows[1:] == rows[:-1]
    names = contig.gene_names().take(pa.array(rows))
    transcripts = pc.replace_substring(names, "SYN", "ENSTSYN")
    transcripts = pc.binary_join_element_wise(transcripts, pa.array(np.where(second, "2", "1")), ".")
    terms = np.array(TERMS)[contig.term[rows]]
    return as_table(
        table,
        {name: values[rows] for name, values in contig.allele().items()}
        | {
            "transcript_id": transcripts,
            "gene_id": contig.gene_ids().take(pa.array(rows)),
            "gene_symbol": names,
            "biotype": np.repeat("protein_coding", len(rows)),
            "terms": text_lists(np.ones(len(rows), bool), pa.array(terms)),
            "impact": np.array(_IMPACTS)[contig.term[rows]],
            "aa_change": pa.nulls(len(rows), pa.string()),
            "dna_change": pa.array(np.char.add("c.", contig.ids[rows])),
            "is_coding": _IS_CODING[contig.term[rows]],
        },
    )
