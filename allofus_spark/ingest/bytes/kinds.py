"""What an input file is, told from its first bytes; its name is never asked.

`.gz` is used for bgzip, for plain gzip and even for plain text. Reading one as another gives garbage, or one
task where there could be a thousand. Files of known other kinds are refused by name, with the way to convert
them.
"""

from __future__ import annotations

import enum
from typing import NamedTuple, NoReturn

from isal import igzip_lib

from allofus_spark.errors import BadSource
from allofus_spark.ingest.bytes.bgzf import GZIP_MAGIC, INFLATE_ERROR, MAX_BLOCK_BYTES, block_shape

SNIFF_BYTES = MAX_BLOCK_BYTES
"""How much of a file's beginning `sniff_kind` wants: the first block's header, whatever its extra fields."""

_TEXT_PROBE_BYTES = 64
_ALLOWED_CONTROLS = frozenset(b"\t\n\r")
_DEFLATE_METHOD = 8
_BC_FIELD = b"BC\x02\x00"
_BC_OFFSET = 12  # where every bgzip program writes it


class Kind(enum.Enum):
    """How the text of a file is stored."""

    BGZIP = "bgzip"
    GZIP = "gzip"
    TEXT = "text"


class _Foreign(NamedTuple):
    offset: int
    magic: bytes
    name: str
    advice: str


_UNPACK = "unpack it and give the VCF inside"
_TO_UTF8 = "convert it: iconv -t UTF-8 (and remove the byte order mark)"
_TO_VCF = "convert it: bcftools view -Oz -o OUT.vcf.gz FILE"
_PLINK_TO_VCF = "convert it: plink2 --export vcf bgz"
_ALIGNMENTS = "alignments are not variants: give the joint-called VCF"
_INDEX = "give the file that it indexes"

_FOREIGN = (
    _Foreign(0, b"BCF\x02", "BCF", _TO_VCF),
    _Foreign(0, b"BCF\x04", "BCF version 1", _TO_VCF),
    _Foreign(0, b"BAM\x01", "BAM", _ALIGNMENTS),
    _Foreign(0, b"CRAM", "CRAM", _ALIGNMENTS),
    _Foreign(0, b"TBI\x01", "a tabix index", _INDEX),
    _Foreign(0, b"CSI\x01", "a CSI index", _INDEX),
    _Foreign(0, b"PK\x03\x04", "a zip archive", _UNPACK),
    _Foreign(0, b"PK\x05\x06", "an empty zip archive", _UNPACK),
    _Foreign(0, b"\x28\xb5\x2f\xfd", "zstd", "convert it: zstd -dc FILE | bgzip > OUT.vcf.gz"),
    _Foreign(0, b"\xfd7zXZ\x00", "xz", "convert it: xz -dc FILE | bgzip > OUT.vcf.gz"),
    _Foreign(0, b"BZh", "bzip2", "convert it: bzip2 -dc FILE | bgzip > OUT.vcf.gz"),
    _Foreign(0, b"\x6c\x1b\x01", "a PLINK 1 .bed", _PLINK_TO_VCF),
    _Foreign(0, b"\x6c\x1b", "a PLINK .bed or .pgen", _PLINK_TO_VCF),
    _Foreign(16, b"bgen", "BGEN", "convert it: plink2 --bgen FILE ref-first --export vcf bgz"),
    _Foreign(0, b"\xff\xfe\x00\x00", "UTF-32 text", _TO_UTF8),
    _Foreign(0, b"\xff\xfe", "UTF-16 text", _TO_UTF8),
    _Foreign(0, b"\xfe\xff", "UTF-16 text", _TO_UTF8),
    _Foreign(
        0, b"\xef\xbb\xbf", "text behind a UTF-8 byte order mark", "remove it: tail -c +4 FILE > OUT.vcf"
    ),
)


def sniff_kind(head: bytes, *, path: str = "input") -> Kind:
    """Tell the kind of a file from its beginning.

    Parameters
    ----------
    head
        The first `SNIFF_BYTES` bytes, or the whole of a smaller file. From fewer, bgzip may pass for gzip and
        compressed BCF for compressed text.
    path
        Named in errors.

    Raises
    ------
    BadSource
        The file is empty, binary, of a kind that is not VCF text (the message names it), or its first bgzip
        block has a damaged header.
    """
    if not head:
        raise BadSource(f"{path}: empty file (0 bytes). Copy it again from its source, or leave it out.")
    if not head.startswith(GZIP_MAGIC):
        _refuse_if_not_text(head, path, wrapping="")
        return Kind.TEXT
    if head[2:3] not in (b"", bytes([_DEFLATE_METHOD])):
        raise BadSource(
            f"{path}: byte 2 gives gzip compression method {head[2]}, and only {_DEFLATE_METHOD} (deflate) "
            "exists: the file is damaged. Copy it again from its source."
        )
    kind = Kind.BGZIP if block_shape(head) else Kind.GZIP
    if kind is Kind.GZIP and head.startswith(_BC_FIELD, _BC_OFFSET):
        # Read as gzip, a wrong length of the extra field could hide whole blocks.
        raise BadSource(
            f"{path}: at byte 0, a bgzip block begins whose header is damaged or cut short "
            f"({head[: _BC_OFFSET + 6].hex(' ')}). Copy the file again from its source."
        )
    _refuse_if_not_text(_first_text(head), path, wrapping=kind.value)
    return kind


def _first_text(head: bytes) -> bytes:
    """Return the beginning of a gzip member's text; nothing where it is damaged, as its reader says more."""
    inflater = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    try:
        return bytes(inflater.decompress(head, _TEXT_PROBE_BYTES))
    except INFLATE_ERROR:
        return b""


def _refuse_if_not_text(data: bytes, path: str, *, wrapping: str) -> None:
    for foreign in _FOREIGN:
        if data.startswith(foreign.magic, foreign.offset):
            _refuse(path, f"is {foreign.name}", foreign.magic, foreign.offset, wrapping, foreign.advice)
    if wrapping and data.startswith(GZIP_MAGIC):
        _refuse(
            path,
            "is compressed twice",
            GZIP_MAGIC,
            0,
            wrapping,
            "inflate it once: gzip -dc FILE > OUT.vcf.gz",
        )
    for offset, byte in enumerate(data[:_TEXT_PROBE_BYTES]):
        if byte < 0x20 and byte not in _ALLOWED_CONTROLS:
            advice = "give VCF text, plain or compressed with bgzip or gzip; if this was one, copy it again"
            _refuse(path, "is binary of an unknown kind", bytes([byte]), offset, wrapping, advice)


def _refuse(path: str, found: str, magic: bytes, offset: int, wrapping: str, advice: str) -> NoReturn:
    where = f" of the text inside {wrapping}" if wrapping else ""
    raise BadSource(
        f"{path}: {found}, not VCF text (byte {offset}{where}: {magic.hex(' ')}). To go on, {advice}."
    )
