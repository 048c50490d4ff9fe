"""What tasks write: GT text and BGZF blocks."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.bgzf import TEXT_BYTES, BgzfFile, block
from allofus_spark.bgzip import END_OF_FILE
from allofus_spark.export.genotype_text import genotype_lines
from allofus_spark.genotypes import pack

Calls = npt.NDArray[np.int8]
DIPLOID = {0: "0/0", 1: "0/1", 2: "1/1", 3: "./."}
HAPLOID = {0: "0", 1: "0/1", 2: "1", 3: "."}


@st.composite
def any_calls(draw: st.DrawFn) -> Calls:
    """Calls int8[rows, n]."""
    shape = draw(st.integers(1, 6)), draw(st.integers(1, 40))
    return np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers(0, 4, shape, np.int8)


@given(calls=any_calls(), seed=st.integers(0, 2**32 - 1))
def test_each_call_is_written_by_the_copies_that_are_meant(calls: Calls, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_rows, n_samples = calls.shape
    one_copy = rng.random((4, n_samples)) < 0.5
    one_copy[0] = False
    regions = rng.integers(0, 4, n_rows).astype(np.int8)
    fixed = [f"chr1\t{row}\tGT".encode() for row in range(n_rows)]
    offsets = np.cumsum([0, *map(len, fixed)]).astype(np.int32)
    data = np.frombuffer(b"".join(fixed), np.uint8)
    text = genotype_lines((data, offsets), pack(calls), regions, one_copy)
    expected = "".join(
        "\t".join(
            [f"chr1\t{row}\tGT"]
            + [
                (HAPLOID if one_copy[regions[row], sample] else DIPLOID)[int(call)]
                for sample, call in enumerate(calls[row])
            ]
        )
        + "\n"
        for row in range(n_rows)
    )
    assert text.tobytes().decode() == expected


@pytest.mark.parametrize("piece", [1, 777, TEXT_BYTES - 1, TEXT_BYTES, TEXT_BYTES + 1, 10**7])
def test_bgzf_holds_the_text_whatever_the_pieces(piece: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(piece)
    n_bytes = 3000 if piece == 1 else 3 * TEXT_BYTES + 11
    text = rng.integers(0, 256, n_bytes, np.uint8).tobytes()
    path = tmp_path / "text.gz"
    file = BgzfFile(path.open("wb"))
    for start in range(0, len(text), piece):
        file.write(text[start : start + piece])
    file.close()
    written = path.read_bytes()
    assert gzip.decompress(written) == text
    # Each block says where the next begins; those of any other writer can follow.
    at, n_blocks = 0, 0
    while at < len(written):
        assert written[at : at + 4] == b"\x1f\x8b\x08\x04"
        assert written[at + 12 : at + 16] == b"BC\x02\x00"
        at += int.from_bytes(written[at + 16 : at + 18], "little") + 1
        n_blocks += 1
    assert (at, n_blocks) == (len(written), -(-n_bytes // TEXT_BYTES))
    whole = io.BytesIO(block(b"head\n") + written + END_OF_FILE)
    assert gzip.GzipFile(fileobj=whole).read() == b"head\n" + text
