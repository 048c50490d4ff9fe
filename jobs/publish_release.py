"""The newest snapshot as a public release: summary data, with what would tell of few people withheld.

Reads   allele_frequencies, variants, variant_sites, novelty, consequences, variant_summary, callsets,
        samples, ancestries, phenotype_catalogue, phenotype_definitions, associations, meta_associations,
        association_summaries, replications, replication_summary, representation, researchers,
        access_events; releases
Writes  public/releases/VERSION; no table but the ledger

    spark-submit jobs/publish_release.py --warehouse PATH --version v8
"""

from allofus_spark.cli.release import release_command

if __name__ == "__main__":
    release_command()
