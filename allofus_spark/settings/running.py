"""Sections about how jobs run, which shape no result."""

from __future__ import annotations

from pydantic import Field

from allofus_spark.settings.section import FilterNames, Section


class SparkSettings(Section):
    """How a Spark session is started from plain Python; spark-submit decides most of it for itself."""

    master: str | None = Field(
        None,
        min_length=1,
        description="Spark master URL. Unset: the one that spark-submit names, else local[*], every core of "
        "this machine. Under spark-submit its own --master counts.",
    )
    driver_memory: str = Field(
        "4g",
        pattern=r"^[1-9][0-9]*[kmgtKMGT]$",
        description="Java heap of the driver, which on one machine does all the work: for each core a chunk "
        "of text, a batch of packed calls and a Parquet row group of 128 MiB. Under spark-submit: "
        "--driver-memory.",
    )
    shuffle_partitions: int = Field(
        4,
        ge=1,
        description="Tasks after a shuffle: two for each core of a laptop, two to three for each executor "
        "core of a cluster. Shuffles here carry narrow keys; with Spark's own 200, starting tasks would cost "
        "most.",
    )
    extra: dict[str, str] = Field(
        default_factory=dict,
        description="Spark settings by their full names, for what has no key here. Jars, packages, class "
        "paths and SQL extensions are added to those that Delta and Hail need, never put in their place.",
    )


class MaintenanceSettings(Section):
    """How long `allofus maintain` keeps what the newest snapshot does not need, and when it tidies logs."""

    retention_hours: int = Field(
        168,
        ge=0,
        le=168,
        description="Data files that the tables no longer hold are removed this many hours after they were "
        "replaced; until then readers of an earlier snapshot can finish, and a version can be restored. At "
        "most 168, a week, Delta's own default: its log forgets then which files were replaced when.",
    )
    min_retention_hours: int = Field(
        24,
        ge=0,
        description="With fewer retention_hours maintain refuses, unless --force-retention says that nobody "
        "reads: longer than a scan or an export of a night works on the files that it began with.",
    )
    commits_per_checkpoint: int = Field(
        10,
        ge=1,
        description="A table gets a checkpoint of its log when this many commits came since the last one. "
        "Delta's own default; a checkpoint also lets go of log files past the table's "
        "delta.logRetentionDuration (30 days).",
    )


class NightlySettings(Section):
    """What a nightly run makes anew."""

    stages: FilterNames = Field(
        (
            "infer_ancestry_project",
            "compute_relatedness",
            "compute_frequencies",
            "flag_novelty",
            "annotate_consequences",
            "compute_qc",
            "flag_sample_outliers",
            "summarise_variants",
            "report_cohort",
            "run_associations",
            "replicate",
        ),
        description="Stages that are made with their defaults though they never ran, once what they need is "
        "there. What was made before is kept current whether it is listed or not.",
    )


class LeaseSettings(Section):
    """How runs keep out of each other's way: one works in a warehouse, others wait or are refused."""

    expiry_seconds: float = Field(
        120.0,
        ge=1.0,
        le=86_400.0,
        description="Seconds after which a claim that its run has not renewed is taken over. It is renewed "
        "four times as often; 120 outlasts the pauses that a live driver makes (Java's full collections, a "
        "store that does not answer for a minute), and is short beside a night. A process that has ended on "
        "the same host is seen at once.",
    )
    wait_seconds: float = Field(
        0.0,
        ge=0.0,
        description="Seconds to wait for a warehouse where another run works. 0: refused at once, which a "
        "person at a terminal wants; for runs on a schedule an hour or more.",
    )
