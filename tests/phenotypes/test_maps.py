"""Maps of phecodes and their exclusions, as the tools publish them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from allofus_spark.errors import BadSource
from allofus_spark.phenotypes.exclusions import excluded_phecodes, read_exclusions
from allofus_spark.phenotypes.phecode_files import read_phecode_map
from allofus_spark.phenotypes.phecode_map import Code, ancestors, compared, with_roll_up

PHETK = "pheno_phecode/phetk_phecode12_icd9_icd10.csv.gz"
PYPHEWAS = (
    "pheno_phecode/pyPheWAS_phecode_map_v1_2_icd9.csv.gz",
    "pheno_phecode/pyPheWAS_phecode_map_v1_2_icd10_beta.csv.gz",
)


def test_every_published_form_gives_text_and_the_ancestors_of_a_phecode(realdata: Path) -> None:
    diabetes = Code("ICD9CM", "25010")
    for files, phecodes, n_phecodes in (
        ((PHETK,), {"250.21", "250.2", "250"}, 1817),
        (("pheno_phecode/phetk_phecodeX.csv.gz",), {"EM_202", "EM_202.2"}, 3612),
        (("pheno_pgrm/icd_to_phecode_V1_2.csv.gz",), {"250.21", "250.2", "250"}, 1866),
        (PYPHEWAS, {"250.21", "250.2", "250"}, 1866),
    ):
        codes = read_phecode_map([str(realdata / name) for name in files])
        assert with_roll_up(codes, roll_up=True)[diabetes] >= phecodes, files
        narrow = with_roll_up(codes, roll_up=False)[diabetes]
        assert not narrow & {name for phecode in narrow for name in ancestors(phecode)}
        assert len(codes.about) == n_phecodes
        assert codes.vocabularies == ["ICD10CM", "ICD9CM"]
        assert len(codes.sha256) == 64
    phetk = read_phecode_map([str(realdata / PHETK)])
    assert "008" in phetk.about
    assert "8" not in phetk.about
    assert phetk.about["185"].sex == "male"
    assert read_phecode_map([str(realdata / PHETK)], icd10="ICD10").vocabularies == ["ICD10", "ICD9CM"]


def test_a_code_that_is_not_rolled_up_by_its_map_counts_for_its_phecode_alone(realdata: Path) -> None:
    codes = read_phecode_map([str(realdata / name) for name in PYPHEWAS])
    table = pd.read_csv(realdata / PYPHEWAS[0], dtype=str, keep_default_na=False)
    alone = table[(table.Rollup == "0.0") & table.PheCode.str.contains(".", regex=False)]
    assert len(alone) > 50
    rolled = with_roll_up(codes, roll_up=True)
    phecodes: dict[str, set[str]] = {}
    for row in table.itertuples():
        phecodes.setdefault(compared(row.ICD9), set()).add(row.PheCode)
    for row in alone.itertuples():
        assert rolled[Code("ICD9CM", compared(row.ICD9))] == phecodes[compared(row.ICD9)]


def test_open_ranges_are_phetks_lists_but_for_716(realdata: Path) -> None:
    """PheTK's lists are the same ranges with closed ends: 716.00 is the only end that is a phecode."""
    phetk = read_phecode_map([str(realdata / PHETK)])
    ranges, _ = read_exclusions(str(realdata / "pheno_pgrm/phecode_ranges.csv"))
    names = sorted(phetk.about)
    opened = excluded_phecodes(names, ranges, {})
    listed = excluded_phecodes(names, {}, phetk.excluded)
    differ = {name: (opened[name] ^ listed[name]) for name in names if opened[name] != listed[name]}
    assert differ == {name: {"716"} for name in ("714", "714.1", "714.2", "715", "715.1", "715.2", "715.3")}
    assert all("716" in listed[name] for name in differ)


def test_ranges_of_several_forms(tmp_path: Path) -> None:
    names = ["008", "008.5", "010", "250.2", "250.79", "EM_202"]
    assert excluded_phecodes(names, {"8": [(Decimal(8), Decimal(10))]}, {})["008"] == {"008.5"}
    assert excluded_phecodes(names, {}, {"8": ["10", "EM_202"]})["008"] == {"010", "EM_202"}
    path = tmp_path / "pairs.csv"
    path.write_text("phewas_code,exclusion_criteria\n8,8.5\n8,10\n")
    _, pairs = read_exclusions(str(path))
    assert excluded_phecodes(names, {}, pairs)["008"] == {"008.5", "010"}
    path.write_text("phecode,range_start,range_end\n8,1,x\n")
    with pytest.raises(BadSource, match=r"1 rows are not understood: line 2: '1' to 'x' is no range"):
        read_exclusions(str(path))
    path.write_text("a,b\n")
    with pytest.raises(BadSource, match=r"with the columns a, b\. Known are: phecode, range_start"):
        read_exclusions(str(path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "code,phe\n1,2\n",
            r"is known with the columns code, phe\. Known are: .*flag, icd",
        ),
        ("", "empty; it needs a header line"),
        ("vocabulary_id,code,phecode\n", "no codes in it"),
        ("icd,flag,phecode\n250,11,250\n", r"1 rows are not understood: line 2: flag '11' is not 9 or 10"),
        ("icd,flag,phecode\n250,9\n", "line 2 has 2 fields, not 3"),
        ("vocabulary_id,code,phecode\n,250,250\n", "line 2: no code or vocabulary"),
    ],
)
def test_a_map_that_is_none_is_refused_by_name(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_text(text)
    with pytest.raises(BadSource, match=rf"map\.csv.*{message}"):
        read_phecode_map([str(path)])
