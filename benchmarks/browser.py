"""How fast the variant browser answers: a mix of its pages over an invented release, from many clients.

    python -m benchmarks.browser --variants 1000000 --clients 20

The release is written once to ``--folder``. The server runs as ``allofus browse`` runs it, in processes of
its own, on the same machine as the clients. Cold: a server that has just started and holds no batch (the
operating system may hold the files); warm: the same addresses again. Latencies are seen by the clients, each
of which asks for its next page as soon as it has the last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from allofus_spark.published import MANIFEST, table_files
from benchmarks.measure import process_tree, running_processes
from benchmarks.synthetic import write_release

_COMMAND = "from allofus_spark.cli import main; main()"
_STARTED_SECONDS = 120.0
# Of a hundred requests, so many of each kind.
MIX = {"variant": 40, "variant.json": 15, "rs": 15, "gene": 10, "gene.json": 5, "region": 10, "beacon": 5}
_REGION_BASES = 100_000


class Answer(NamedTuple):
    """One answer: the kind of its page, seconds until its last byte, HTTP status, and bytes."""

    kind: str
    seconds: float
    status: int
    size: int


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where the release is, or is written to")
    parser.add_argument("--variants", type=int, default=1_000_000)
    parser.add_argument("--group-rows", type=int, default=4_096, help="rows of a row group of the release")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--port", type=int, default=8_399)
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    if not (options.folder / MANIFEST).is_file():
        write_release(options.folder, n_variants=options.variants, group_rows=options.group_rows)
    requests = list(make_requests(options.folder, options.requests))
    figures: dict[str, object] = {"clients": options.clients, "requests": len(requests)}
    started = time.perf_counter()
    with server(options.folder, options.port, options.overrides) as process:
        figures["start_seconds"] = round(time.perf_counter() - started, 1)
        figures["pss_mib_at_start"] = resident_mib(process.pid)
        for phase in ("cold", "warm"):
            began = time.perf_counter()
            answers = asyncio.run(ask(options.port, requests, options.clients))
            figures[phase] = summary(answers, time.perf_counter() - began)
            figures[f"pss_mib_{phase}"] = resident_mib(process.pid)
    text = json.dumps(figures, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n", encoding="utf-8")


@contextmanager
def server(release: Path, port: int, overrides: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """``allofus browse`` over a release, once it answers."""
    command = [sys.executable, "-c", _COMMAND, "browse", str(release), "--port", str(port)]
    command += [part for item in overrides for part in ("--set", item)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            asyncio.run(_until_it_answers(port))
            yield process
        finally:
            process.terminate()


async def _until_it_answers(port: int) -> None:
    until = time.monotonic() + _STARTED_SECONDS
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await _get(reader, writer, "/beacon/info")
            writer.close()
            return
        except OSError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)


def make_requests(release: Path, n: int) -> Iterator[tuple[str, str]]:
    """(kind, address) of pages in the shares of `MIX`, each of a variant that is drawn evenly."""
    rng = random.Random(1)
    places = [
        row
        for path in table_files(release, "variants")
        for row in _sample(path, ["variant_id", "contig", "position", "ref", "alt", "rsids"], rng, n // 4)
    ]
    genes = [
        row["gene_symbol"]
        for path in table_files(release, "genes")
        for row in _sample(path, ["gene_symbol"], rng, n)
    ]
    for kind in rng.choices(list(MIX), list(MIX.values()), k=n):
        yield kind, _address(kind, rng.choice(places), rng.choice(genes))


def _sample(path: Path, columns: list[str], rng: random.Random, n: int) -> list[dict[str, object]]:
    table = pq.read_table(path, columns=columns)
    rows = rng.sample(range(table.num_rows), min(n, table.num_rows))
    return table.take(rows).to_pylist()  # type: ignore[no-any-return]


def _address(kind: str, place: dict[str, object], gene: object) -> str:
    position = int(str(place["position"]))
    if kind == "rs":
        rsids = place["rsids"]
        # Variants without a number are asked for by their ids, as a person would.
        if isinstance(rsids, list) and rsids:
            return f"/rs/{rsids[0]}"
        return f"/variant/{place['variant_id']}"
    return {
        "variant": f"/variant/{place['variant_id']}",
        "variant.json": f"/variant/{place['variant_id']}.json",
        "gene": f"/gene/{gene}",
        "gene.json": f"/gene/{gene}.json?consequence=missense_variant",
        "region": f"/region/{place['contig']}:{position}-{position + _REGION_BASES}",
        "beacon": f"/beacon/g_variants?referenceName={place['contig']}&start={position - 1}"
        f"&referenceBases={place['ref']}&alternateBases={place['alt']}",
    }[kind]


async def ask(port: int, requests: list[tuple[str, str]], clients: int) -> list[Answer]:
    """Answers to all requests from so many clients, each with a connection of its own."""
    waiting = iter(requests)
    answers: list[Answer] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for kind, address in waiting:
            began = time.perf_counter()
            status, size = await _get(reader, writer, address)
            answers.append(Answer(kind, time.perf_counter() - began, status, size))
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return answers


async def _get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> tuple[int, int]:
    """Status, and bytes of the page."""
    writer.write(f"GET {address} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name: value for name, _, value in (line.lower().partition(": ") for line in lines[1:])}
    size = int(headers["content-length"])
    await reader.readexactly(size)
    return int(lines[0].split()[1]), size


def summary(answers: list[Answer], seconds: float) -> dict[str, object]:
    """Milliseconds by kind and of all; answers other than 200 are counted."""
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for answer in answers:
        by_kind[answer.kind].append(answer.seconds * 1_000)
        by_kind["all"].append(answer.seconds * 1_000)
    return {
        "per_second": round(len(answers) / seconds),
        "not_200": sum(answer.status != 200 for answer in answers),
        "milliseconds": {kind: quantiles(values) for kind, values in sorted(by_kind.items())},
    }


def quantiles(values: list[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile."""
    cuts = statistics.quantiles(values, n=100)
    return {name: round(cuts[at - 1], 1) for name, at in (("p50", 50), ("p95", 95), ("p99", 99))}


def resident_mib(pid: int) -> int | None:
    """Memory of a process and its children, shared pages counted once; None where it cannot be read."""
    tree = process_tree(pid, running_processes())
    try:
        texts = [Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="ascii") for process in tree]
    except OSError:
        return None
    kib = (line.split()[1] for text in texts for line in text.splitlines() if line.startswith("Pss:"))
    return round(sum(map(int, kib)) / 1024) if tree else None


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[1]))
    main()
