"""Variants in the shape of a GA4GH Beacon v2 answer (https://docs.genomebeacons.org, default model 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from allofus_spark.browser.opened import OpenRelease, Row
from allofus_spark.published import ALL

API_VERSION = "v2.0"
BEACON_ID = "org.allofus-spark.browser"
SCHEMA = {"entityType": "genomicVariant", "schema": "ga4gh-beacon-variant-v2.0.0"}
_TYPES = {"snv": "SNP", "mnv": "MNP", "insertion": "INS", "deletion": "DEL", "complex": "INDEL"} | {
    "breakend": "BND",
    "symbolic": "SV",
}


def variation(opened: OpenRelease, row: Row, consequences: list[Row] | None = None) -> dict[str, Any]:
    """A variant as a genomicVariation; numbers that are withheld are not in it, and named in ``info``."""
    record = _named(opened, row, consequences or [])
    frequencies = [_frequency(row, group) for group in opened.groups if row[f"{group}_af"] is not None]
    if frequencies:
        record["frequencyInPopulations"] = [_source(opened, frequencies)]
    record["info"] = {
        "release": opened.manifest.release,
        "novelty": row["novelty"],
        "withheld": row["withheld"],
        "alleleNumbers": _shown(opened, row, "an"),
        "faf95": _shown(opened, row, "faf95"),
        "consequences": [
            {name: item[name] for name in ("transcript_id", "gene_symbol", "terms", "impact", "dna_change")}
            for item in consequences or []
        ],
    }
    return record


def variation_of_list(opened: OpenRelease, row: Row) -> dict[str, Any]:
    """A row of a list likewise: the frequency of everybody, and the highest of a group."""
    record = _named(opened, row, [])
    frequencies = []
    if row["all_af"] is not None:
        frequencies.append(_frequency(row, ALL))
    if row["max_af"] is not None:
        frequencies.append({"population": row["max_af_group"], "alleleFrequency": row["max_af"]})
    if frequencies:
        record["frequencyInPopulations"] = [_source(opened, frequencies)]
    record["info"] = {
        "release": opened.manifest.release,
        "novelty": row["novelty"],
        "withheld": row["withheld"],
    }
    return record


def type_of(row: Row) -> str:
    """The variant's type in the words of a Beacon."""
    return _TYPES.get(row["variant_type"], str(row["variant_type"]))


def _named(opened: OpenRelease, row: Row, consequences: list[Row]) -> dict[str, Any]:
    record: dict[str, Any] = {
        "variantInternalId": row["variant_id"],
        "variation": {
            "variantType": type_of(row),
            "referenceBases": row["ref"],
            "alternateBases": row["alt"],
            "location": _location(opened, row),
        },
        "identifiers": {
            "variantAlternativeIds": [
                {"id": f"dbSNP:{rs}", "reference": f"https://www.ncbi.nlm.nih.gov/snp/{rs}"}
                for rs in row["rsids"]
            ]
        },
    }
    genes = sorted(
        {name for name in (row["gene_symbol"], *(item["gene_symbol"] for item in consequences)) if name}
    )
    terms = dict.fromkeys(term for item in consequences for term in item["terms"])
    effects = list(terms) or ([row["consequence"]] if row["consequence"] else [])
    if genes or effects:
        changes = {row["aa_change"], *(item["aa_change"] for item in consequences)} - {None}
        record["molecularAttributes"] = {
            "geneIds": sorted(genes),
            "molecularEffects": [_effect(effect) for effect in effects],
            "aminoacidChanges": sorted(changes),
        }
    return record


def _shown(opened: OpenRelease, row: Row, name: str) -> dict[str, Any]:
    """A number of each group that is shown."""
    return {group: row[f"{group}_{name}"] for group in opened.groups if row[f"{group}_{name}"] is not None}


@cache
def _accessions() -> dict[str, str]:
    """Accession in the Sequence Ontology of each term, from the table of them that annotators go by."""
    table = files("allofus_spark") / "consequences" / "data" / "terms.tsv"
    lines = (line.split("\t") for line in table.read_text(encoding="utf-8").splitlines())
    return {fields[0]: fields[1] for fields in lines if len(fields) > 1 and fields[1].startswith("SO:")}


def _effect(term: str) -> dict[str, str]:
    """A term as an ontology's; one that the table lacks by its name alone."""
    return {"id": _accessions().get(term, f"SO_term:{term}"), "label": term}


def _location(opened: OpenRelease, row: Row) -> dict[str, Any]:
    """Where it is in VRS's terms: 0-based, the end not included."""
    accession = next((key for key, name in opened.build.accessions.items() if name == row["contig"]), None)
    start = row["position"] - 1
    return {
        "type": "SequenceLocation",
        "sequence_id": f"refseq:{accession}" if accession else row["contig"],
        "interval": {
            "type": "SequenceInterval",
            "start": {"type": "Number", "value": start},
            "end": {"type": "Number", "value": start + len(row["ref"])},
        },
    }


def _frequency(row: Row, group: str) -> dict[str, Any]:
    counts = {
        "alleleFrequency": row[f"{group}_af"],
        "alleleCount": row[f"{group}_ac"],
        "alleleNumber": row[f"{group}_an"],
        "alleleCountHomozygous": row.get(f"{group}_n_hom"),
    }
    return {"population": group} | {name: value for name, value in counts.items() if value is not None}


def _source(opened: OpenRelease, frequencies: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "source": f"Release {opened.manifest.release}",
        "sourceReference": "/data",
        "version": opened.manifest.release,
        "frequencies": frequencies,
    }


def meta(
    parameters: Mapping[str, Any], granularity: str = "record", skip: int = 0, limit: int = 0
) -> dict[str, Any]:
    """What every answer says of itself and of what was asked."""
    return {
        "beaconId": BEACON_ID,
        "apiVersion": API_VERSION,
        "returnedSchemas": [SCHEMA],
        "returnedGranularity": granularity,
        "receivedRequestSummary": {
            "apiVersion": API_VERSION,
            "requestedSchemas": [],
            "requestParameters": dict(parameters),
            "filters": [],
            "includeResultsetResponses": "HIT",
            "pagination": {"skip": skip, "limit": limit},
            "requestedGranularity": granularity,
            "testMode": False,
        },
    }


def resultset(
    opened: OpenRelease,
    parameters: Mapping[str, Any],
    records: list[dict[str, Any]],
    total: int | None,
    *,
    following: int | None = None,
    granularity: str = "record",
    skip: int = 0,
    limit: int = 0,
) -> dict[str, Any]:
    """An answer with variants; ``total`` None: not counted, so that no number of results is given."""
    exists = bool(records) or bool(total)
    summary: dict[str, Any] = {"exists": exists}
    if granularity != "boolean" and total is not None:
        summary["numTotalResults"] = total
    answer = {"meta": meta(parameters, granularity, skip, limit), "responseSummary": summary}
    if granularity == "record":
        held = {
            "id": opened.manifest.release,
            "setType": "dataset",
            "exists": exists,
            "resultsCount": len(records),
        }
        answer["response"] = {"resultSets": [held | {"results": records}] if exists else []}
    if following is not None:
        answer["info"] = {"nextStart": following}
    return answer
