"""Genetic ancestry: a model from a labelled callset, and the ancestry of every sample.

Reads   callsets, samples, genotypes; a list of samples to train on, another warehouse's model, labels from
        elsewhere
Writes  ancestry_models, ancestry_loadings, ancestry_training, ancestries; pictures in the controlled zone

    spark-submit jobs/infer_ancestry.py train --warehouse PATH --callset ID --name NAME
    spark-submit jobs/infer_ancestry.py project --warehouse PATH
    spark-submit jobs/infer_ancestry.py import --warehouse PATH --callset ID --name NAME FILE
"""

from allofus_spark.cli.ancestry import infer_ancestry_group

if __name__ == "__main__":
    infer_ancestry_group()
