"""Tables of genetic ancestry: models, what they were trained on, and the ancestry of every sample."""

from collections.abc import Sequence

from allofus_spark.tables.contract import Column, Table, Zone
from allofus_spark.tables.types import BINARY, DOUBLE, DOUBLES, INT, INTS, STRING, STRINGS, struct

_MODEL_ID = Column("model_id", STRING, "Name given at training, a dash, and the first 12 digits of sha256")

ANCESTRY_MODELS = Table(
    name="ancestry_models",
    zone=Zone.REGISTERED,
    grain="one trained model of genetic ancestry",
    key=("model_id",),
    columns=(
        _MODEL_ID,
        Column("name", STRING, "Name given at training"),
        Column(
            "build", STRING, "Genome build of its sites: its name; of a custom one, JSON with its contigs"
        ),
        Column(
            "sha256",
            STRING,
            "SHA-256 over build, groups, sites, frequencies, loadings and forest: all that decides a label",
        ),
        Column("trained_on", STRING, "Callset that it was trained on"),
        Column("n_samples", INT, "Labelled samples that it was trained on"),
        Column("n_sites", INT, "Sites: its rows in ancestry_loadings"),
        Column("groups", STRINGS, "Ancestry groups, in the forest's order of classes"),
        Column("group_sizes", INTS, "Training samples of each group"),
        Column("eigenvalues", DOUBLES, "Eigenvalues of the covariance of samples, falling; one a PC"),
        Column("forest", BINARY, "The random forest in the skops format, which is read without running it"),
    ),
    partition_by=("model_id",),
)

ANCESTRY_LOADINGS = Table(
    name="ancestry_loadings",
    zone=Zone.REGISTERED,
    grain="one site of a model",
    key=("model_id", "site"),
    columns=(
        _MODEL_ID,
        Column("site", INT, "0-based place of the site, in the order of the genome"),
        Column("contig", STRING, "Contig as the build spells it"),
        Column("position", INT, "1-based position"),
        Column("ref", STRING, "Reference base"),
        Column("alt", STRING, "Alternate base, whose copies are counted"),
        Column("af", DOUBLE, "Frequency of alt among the training samples, p"),
        Column(
            "loadings",
            DOUBLES,
            "Weight of the site in each PC: a score is the sum over sites of (copies − 2p) / √(2p(1 − p)·"
            "n_sites) times this; orthonormal over sites",
        ),
    ),
    partition_by=("model_id",),
)

ANCESTRY_TRAINING = Table(
    name="ancestry_training",
    zone=Zone.CONTROLLED,
    grain="one sample that a model was trained on",
    key=("model_id", "sample_id"),
    columns=(
        _MODEL_ID,
        Column("sample_id", STRING, "Sample id of the training callset"),
        Column("ancestry", STRING, "Label that it was given"),
        Column("pcs", DOUBLES, "Its scores; what projecting it gives"),
        Column(
            "left_out_pcs", DOUBLES, "Its scores were it not in the training: what the forest was grown from"
        ),
    ),
    partition_by=("model_id",),
)

FEW_CALLED_SITES = "few_called_sites"
NOT_IN_IMPORT = "not_in_import"
NOT_LABELLED = {
    FEW_CALLED_SITES: "has a call at fewer than ancestry.min_called_share of the model's sites that its "
    "callset has",
    NOT_IN_IMPORT: "the file that labels were imported from has none for it",
}


def ancestries(ancestry_groups: Sequence[str]) -> Table:
    """The contract of ``ancestries`` for the warehouse's ancestry groups."""
    return Table(
        name="ancestries",
        zone=Zone.CONTROLLED,
        grain="one sample of an active callset: its genetic ancestry",
        key=("callset_id", "sample_id"),
        columns=(
            Column("callset_id", STRING, "Callset that the sample belongs to"),
            Column("sample_id", STRING, "Sample id as written in the source"),
            Column("sample_index", INT, "0-based place of the sample in the callset's genotypes"),
            Column(
                "model_id", STRING, "Model that its scores and probabilities are of, or name of an import"
            ),
            Column("n_sites_called", INT, "Sites of the model at which it has a call; null: imported", True),
            Column("pcs", DOUBLES, "Scores on the model's principal components; null: none came", True),
            Column(
                "probabilities",
                struct(**dict.fromkeys(ancestry_groups, DOUBLE)),
                "Share of the forest's trees for each group; null for a group that the model does not know",
                True,
            ),
            Column("ancestry_before_threshold", STRING, "Likeliest group; null: see not_labelled", True),
            Column(
                "ancestry",
                STRING,
                "That group where its probability is over ancestry.min_probability, else the unassigned "
                "group; null: see not_labelled",
                True,
            ),
            Column(
                "not_labelled",
                STRING,
                f"Why it has no label: {', '.join(NOT_LABELLED)} (see docs/methods.md); null: it has one",
                True,
            ),
        ),
        partition_by=("callset_id",),
        sort_by=("sample_index",),
        checks={"labelled_or_why_not": "(ancestry IS NULL) = (not_labelled IS NOT NULL)"},
    )
