"""Whether splits follow each other, and whether a key can stand twice."""

from __future__ import annotations

import pyarrow as pa
import pytest

from allofus_spark.ingest.order import Stretch, contiguous_groups, follow_each_other, overlap


def batch(*keys: tuple[str, int, str, str]) -> pa.RecordBatch:
    contig, position, ref, alt = zip(*keys, strict=True)
    columns = [pa.array(contig), pa.array(position, pa.int32()), pa.array(ref), pa.array(alt)]
    return pa.RecordBatch.from_arrays(columns, names=["contig", "position", "ref", "alt"])


def stretch(*batches: pa.RecordBatch) -> Stretch:
    result = Stretch()
    for item in batches:
        result.add(item)
    return result


def test_a_stretch_holds_first_and_last_position_of_each_contig() -> None:
    result = stretch(batch(("chr1", 5, "A", "C"), ("chr1", 9, "A", "C")), batch(("chr2", 3, "A", "C")))
    assert result.spans == {"chr1": (5, 9, 0), "chr2": (3, 3, 0)}
    assert not result.may_repeat


def test_a_key_twice_in_one_batch_may_repeat() -> None:
    assert stretch(batch(("chr1", 5, "A", "C"), ("chr1", 5, "A", "C"))).may_repeat


def test_two_alleles_of_one_position_in_one_batch_do_not_repeat() -> None:
    assert not stretch(batch(("chr1", 5, "A", "C"), ("chr1", 5, "A", "G"))).may_repeat


@pytest.mark.parametrize(("later", "may_repeat"), [(6, False), (5, True), (2, True)])
def test_a_batch_that_does_not_lie_behind_the_one_before_may_repeat(later: int, may_repeat: bool) -> None:
    assert stretch(batch(("chr1", 5, "A", "C")), batch(("chr1", later, "A", "C"))).may_repeat is may_repeat


def test_splits_that_rise_follow_each_other() -> None:
    assert follow_each_other(
        [{"chr1": (1, 100, 0)}, {"chr1": (101, 200, 0), "chr2": (1, 50, 0)}, {"chr2": (51, 90, 0)}]
    )


def test_splits_in_another_order_do_not_follow_each_other() -> None:
    assert not follow_each_other([{"chr1": (101, 200, 0)}, {"chr1": (1, 100, 0)}])


def test_splits_that_cover_the_same_stretch_do_not_follow_each_other() -> None:
    assert not follow_each_other([{"chr1": (1, 200, 0)}, {"chr1": (2, 200, 0)}])


def test_contigs_that_take_turns_over_the_splits_do_not_follow_each_other() -> None:
    turns = [{"chr1": (pos, pos + 9, 0), "chr2": (pos, pos + 9, 0)} for pos in (1, 11, 21)]
    assert not follow_each_other(turns)


def test_an_allele_moved_over_an_edge_is_tolerated_in_order_but_overlaps() -> None:
    spans = [{"chr1": (1, 1000, 0)}, {"chr1": (990, 2000, 0)}]
    assert follow_each_other(spans)
    assert overlap(spans)


def test_splits_that_touch_overlap_only_where_they_share_a_position() -> None:
    assert overlap([{"chr1": (1, 100, 0)}, {"chr1": (100, 200, 0)}])
    assert not overlap([{"chr1": (1, 100, 0)}, {"chr1": (101, 200, 0)}, {"chr2": (1, 100, 0)}])


def test_groups_are_contiguous_and_hold_everything_once() -> None:
    groups = contiguous_groups(list("abcdefg"), 3)
    assert [item for group in groups for item in group] == list("abcdefg")
    assert len(groups) == 3
    assert contiguous_groups(["a", "b"], 5) == [["a"], ["b"]]


def test_batches_that_go_back_are_not_in_order() -> None:
    def in_order(*batches: list[tuple[str, int]]) -> bool:
        return follow_each_other(
            [stretch(*(batch(*((*key, "A", "C") for key in keys)) for keys in batches)).spans]
        )

    rising = [[("chr1", 1), ("chr1", 500)], [("chr1", 501), ("chr1", 900)], [("chr1", 900), ("chr2", 5)]]
    assert in_order(*rising, [("chr2", 9), ("chr3", 1), ("chr4", 1)])
    # An allele that left-alignment moved before the batch.
    assert in_order(*rising, [("chr2", 1000), ("chr2", 1400)], [("chr2", 1390), ("chr2", 1500)])
    # Each contig rises, but all take turns: every batch would end a file of each.
    assert not in_order(*([("chr1", pos), ("chr2", pos)] for pos in range(1, 1000, 100)))
    assert not in_order(*rising, [("chr1", 901), ("chr1", 902)])
    assert not in_order([("chr1", 500), ("chr1", 900)], [("chr1", 1), ("chr1", 499)])
