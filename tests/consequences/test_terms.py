"""Consequence terms, and the command that shows them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from allofus_spark.cli import main
from allofus_spark.consequences import severity_table
from allofus_spark.consequences.terms import all_terms, are_coding, by_severity, impact_of, terms_of_csq
from allofus_spark.errors import AnnotationFailed

# Every name that bcftools csq 1.24 can write (csq_strings of its csq.c, and NMD_transcript).
CSQ_NAMES = (
    "synonymous missense stop_lost stop_gained inframe_deletion inframe_insertion frameshift splice_acceptor "
    "splice_donor start_lost splice_region stop_retained 5_prime_utr 3_prime_utr non_coding intron "
    "inframe_altering coding_sequence feature_elongation feature_truncation start_retained NMD_transcript"
)


def test_every_name_of_csq_has_a_term() -> None:
    terms = terms_of_csq("&".join(CSQ_NAMES.split()))
    assert len(set(terms)) == len(CSQ_NAMES.split()) == 22
    assert {name for name in terms if are_coding([name])} == {
        *("start_lost", "stop_lost", "stop_gained", "start_retained_variant", "stop_retained_variant"),
        *("frameshift_variant", "inframe_insertion", "inframe_deletion", "missense_variant"),
        *("synonymous_variant", "splice_acceptor_variant", "splice_donor_variant"),
        *("protein_altering_variant", "coding_sequence_variant"),
    }


def test_a_name_that_is_not_known_is_an_error() -> None:
    with pytest.raises(AnnotationFailed, match=r"the consequence new_thing \(in missense&new_thing\)"):
        terms_of_csq("missense&new_thing")


def test_severity_is_ensembls() -> None:
    names = ["intron_variant", "missense_variant", "splice_donor_variant", "intron_variant"]
    assert by_severity(names) == ("splice_donor_variant", "missense_variant", "intron_variant")
    assert impact_of(by_severity(names)) == "HIGH"
    impacts = [term.impact for term in all_terms().values()]
    assert impacts == sorted(impacts, key=["HIGH", "MODERATE", "LOW", "MODIFIER"].index)
    assert len({term.accession for term in all_terms().values()}) == len(impacts) == 41


def test_the_command_prints_the_table_without_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allofus_spark.session.start_session", None)
    answer = CliRunner().invoke(main, ["annotate", "--severity"])
    assert answer.exit_code == 0
    assert "| `missense_variant` | MODERATE | yes | An amino acid becomes another |" in answer.output
    assert answer.output.rstrip().endswith("predicted_data.html).")
    answer = CliRunner().invoke(main, ["annotate", "--table", "vat.tsv"])
    assert answer.exit_code == 1
    assert "--table FILE, --annotator NAME and --annotation-version VERSION go together" in answer.stderr


def test_the_methods_have_the_table_as_it_is() -> None:
    document = Path(__file__).parents[2] / "docs" / "methods.md"
    assert severity_table().strip() in document.read_text(encoding="utf-8")
