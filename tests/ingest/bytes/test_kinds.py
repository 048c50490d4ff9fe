"""Kinds are told from bytes; whatever is not VCF text is refused by its name."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile

import pytest

from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes import Kind, sniff_kind

from .plain_reading import EOF_MARKER, block, deflate

VCF = b"##fileformat=VCFv4.3\n#CHROM\tPOS\nchr1\t1\n"


def zip_archive(text: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.vcf", text)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (VCF, Kind.TEXT),
        (b"\n", Kind.TEXT),
        ("##source=Zürich\n".encode("latin-1"), Kind.TEXT),
        (b"#" * 64 + b"\0", Kind.TEXT),  # a NUL in a record is the record's matter
        (gzip.compress(VCF, mtime=0), Kind.GZIP),
        (gzip.compress(b"", mtime=0), Kind.GZIP),
        (block(VCF), Kind.BGZIP),
        (EOF_MARKER, Kind.BGZIP),
        (block(VCF, before=b"XY\x03\x00abc", after=b"ZZ\x00\x00"), Kind.BGZIP),
        (block(VCF)[:40], Kind.BGZIP),
        (b"\x1f\x8b", Kind.GZIP),
        # An extra field that is not BC, and BC of another length: gzip, not bgzip.
        (b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0XX\x02\0\x1b\0" + deflate(VCF), Kind.GZIP),
        (b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x08\0BC\x04\0\x1b\0\0\0" + deflate(VCF), Kind.GZIP),
    ],
)
def test_kind_comes_from_the_bytes(head: bytes, kind: Kind) -> None:
    assert sniff_kind(head) is kind


@pytest.mark.parametrize(
    ("head", "name", "advice"),
    [
        (b"BCF\x02\x02\0\0\0\0", "BCF", "bcftools view -Oz"),
        (block(b"BCF\x02\x02\0\0\0\0"), "BCF", "bcftools view -Oz"),
        (block(b"BAM\x01\0\0\0\0"), "BAM", "joint-called VCF"),
        (block(b"TBI\x01\0\0\0\0"), "a tabix index", "the file that it indexes"),
        (block(b"CSI\x01\0\0\0\0"), "a CSI index", "the file that it indexes"),
        (b"CRAM\x03\x00", "CRAM", "joint-called VCF"),
        (zip_archive(VCF), "a zip archive", "unpack it"),
        (zip_archive(VCF)[-22:], "an empty zip archive", "unpack it"),
        (b"\x28\xb5\x2f\xfd\x24", "zstd", "zstd -dc"),
        (lzma.compress(VCF), "xz", "xz -dc"),
        (bz2.compress(VCF), "bzip2", "bzip2 -dc"),
        (b"\x6c\x1b\x01\xff", "a PLINK 1 .bed", "plink2 --export"),
        (b"\x6c\x1b\x10\x05", "a PLINK .bed or .pgen", "plink2 --export"),
        (b"\x14\0\0\0\x14\0\0\0\x01\0\0\0\x01\0\0\0bgen", "BGEN", "plink2 --bgen"),
        (codecs.BOM_UTF16_LE + VCF.decode().encode("utf-16-le"), "UTF-16", "iconv"),
        (codecs.BOM_UTF16_BE + VCF.decode().encode("utf-16-be"), "UTF-16", "iconv"),
        (VCF.decode().encode("utf-32"), "UTF-32", "iconv"),
        (codecs.BOM_UTF8 + VCF, "byte order mark", "tail -c +4"),
        (gzip.compress(codecs.BOM_UTF8 + VCF, mtime=0), "byte order mark", "tail -c +4"),
        (gzip.compress(gzip.compress(VCF, mtime=0), mtime=0), "compressed twice", "gzip -dc"),
        (block(block(VCF)), "compressed twice", "gzip -dc"),
        (VCF.decode().encode("utf-16-le"), "binary of an unknown kind", "VCF text"),
        (b"\x1f", "binary of an unknown kind", "VCF text"),
        (b"#\x8b" + EOF_MARKER[2:], "binary of an unknown kind", "VCF text"),
        (b"\x1f\x8b\x07", "gzip compression method 7", "Copy it again"),
        (b"", "empty file", "Copy it again"),
    ],
)
def test_other_kinds_are_refused_by_name(head: bytes, name: str, advice: str) -> None:
    with pytest.raises(BadSource) as refusal:
        sniff_kind(head, path="/data/x.vcf.gz")
    message = str(refusal.value)
    assert message.startswith("/data/x.vcf.gz: ")
    assert name in message
    assert advice in message
    assert "byte" in message


def test_what_was_found_and_where_is_named_inside_compression() -> None:
    with pytest.raises(
        BadSource, match=r"is BCF, not VCF text \(byte 0 of the text inside bgzip: 42 43 46 02\)"
    ):
        sniff_kind(block(b"BCF\x02\x02"))
