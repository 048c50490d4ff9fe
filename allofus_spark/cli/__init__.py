"""``allofus``: the jobs, and questions about their tables, for people at a terminal."""

from __future__ import annotations

import click

from allofus_spark import __version__
from allofus_spark.cli.access import access_group
from allofus_spark.cli.ancestry import infer_ancestry_group
from allofus_spark.cli.association import associate_command
from allofus_spark.cli.browse import browse_command
from allofus_spark.cli.catalogue import ingest_catalogue_command
from allofus_spark.cli.consequences import annotate_command
from allofus_spark.cli.export import export_command
from allofus_spark.cli.frequencies import frequencies_command
from allofus_spark.cli.ingest import ingest_genotypes_command, ingest_samples_command
from allofus_spark.cli.look import query_command, status_command
from allofus_spark.cli.maintain import maintain_command, migrate_command
from allofus_spark.cli.nightly import nightly_command
from allofus_spark.cli.novelty import flag_novelty_command
from allofus_spark.cli.persons import ingest_persons_command, report_cohort_command
from allofus_spark.cli.phenotypes import (
    build_phenotypes_command,
    export_phenotypes_command,
    ingest_omop_command,
)
from allofus_spark.cli.qc import qc_command, sample_outliers_command
from allofus_spark.cli.relatedness import relatedness_command
from allofus_spark.cli.release import release_command
from allofus_spark.cli.replication import ingest_known_associations_command, replicate_command
from allofus_spark.cli.summary import summary_command
from allofus_spark.cli.variant import variant_command
from allofus_spark.cli.verify_release import verify_release_command
from allofus_spark.cli.withdrawal import withdraw_command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """Population genomics on Spark, Hail and Delta Lake.

    Joint-called genomes become Delta tables; their quality is assessed, allele frequencies are counted
    from them by ancestry, and phenotypes of health records are scanned for association. A first session:

    \b
      allofus ingest-samples   --callset demo samples.tsv
      allofus ingest-genotypes --callset demo --date 2026-01-01 --build GRCh38 cohort.vcf.gz
      allofus relatedness
      allofus infer-ancestry project --from reference_panel
      allofus qc
      allofus sample-outliers
      allofus frequencies
      allofus ingest-catalogue --name dbsnp --version 156 --build GRCh38 dbsnp.vcf.gz
      allofus flag-novelty
      allofus annotate --set consequences.gff3=genes.gff3.gz --set genome.reference_fasta=GRCh38.fa
      allofus summary
      allofus ingest-omop cdm/ --person-samples person_samples.tsv
      allofus build-phenotypes --name phecode12 --phecode-map phecode12.csv.gz
      allofus associate
      allofus ingest-known-associations --name pgrm --version 1 PGRM_ALL.csv
      allofus replicate
      allofus variant 22-19963748-G-A
      allofus query "SELECT variant_id, overall.ac, overall.an FROM allele_frequencies LIMIT 5"
      allofus export --format vcf --out cohort.vcf.gz
      allofus release --version v8
      allofus verify-release --version v8
      allofus browse --version v8
      allofus nightly --dry-run
      allofus withdraw NA12878
      allofus access --help
      allofus status

    Every command takes --settings FILE, --warehouse PATH and --set KEY=VALUE. On a cluster run the same jobs
    with spark-submit jobs/NAME.py and the same options. Tables are described in docs/tables.md.
    """


for command in (
    ingest_samples_command,
    ingest_genotypes_command,
    ingest_catalogue_command,
    ingest_persons_command,
    relatedness_command,
    qc_command,
    infer_ancestry_group,
    sample_outliers_command,
    frequencies_command,
    flag_novelty_command,
    annotate_command,
    summary_command,
    report_cohort_command,
    ingest_omop_command,
    build_phenotypes_command,
    associate_command,
    ingest_known_associations_command,
    replicate_command,
    export_command,
    export_phenotypes_command,
    release_command,
    withdraw_command,
    access_group,
    variant_command,
    query_command,
    nightly_command,
    browse_command,
    status_command,
    maintain_command,
    migrate_command,
    verify_release_command,
):
    main.add_command(command)
