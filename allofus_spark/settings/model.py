"""All sections together, and how they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, ValidationError

from allofus_spark.settings.access import AccessSettings
from allofus_spark.settings.people import AncestrySettings, RelatednessSettings, RepresentationSettings
from allofus_spark.settings.release import BrowserSettings, ReleaseSettings
from allofus_spark.settings.running import LeaseSettings, MaintenanceSettings, NightlySettings, SparkSettings
from allofus_spark.settings.section import Section
from allofus_spark.settings.sources import Sources, leaf_fields
from allofus_spark.settings.traits import AssociationSettings, PhenotypeSettings, ReplicationSettings
from allofus_spark.settings.variants import (
    ConsequenceSettings,
    ExportSettings,
    FrequencySettings,
    GenomeSettings,
    IngestSettings,
    QcSettings,
    SiteSettings,
    SummarySettings,
)

_SHAPELESS = {"warehouse", "spark", "lease", "maintenance", "nightly", "access", "browser"}


class Settings(Section):
    """All settings of a run."""

    warehouse: str = Field(
        "warehouse",
        min_length=1,
        description="Folder or URI under which the tables lie, as WAREHOUSE/ZONE/TABLE.",
    )
    spark: SparkSettings = SparkSettings()
    genome: GenomeSettings = GenomeSettings()
    ingest: IngestSettings = IngestSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
    frequencies: FrequencySettings = FrequencySettings()
    qc: QcSettings = QcSettings()
    sites: SiteSettings = SiteSettings()
    ancestry: AncestrySettings = AncestrySettings()
    relatedness: RelatednessSettings = RelatednessSettings()
    representation: RepresentationSettings = RepresentationSettings()
    phenotypes: PhenotypeSettings = PhenotypeSettings()
    association: AssociationSettings = AssociationSettings()
    replication: ReplicationSettings = ReplicationSettings()
    consequences: ConsequenceSettings = ConsequenceSettings()
    summary: SummarySettings = SummarySettings()
    export: ExportSettings = ExportSettings()
    release: ReleaseSettings = ReleaseSettings()
    access: AccessSettings = AccessSettings()
    lease: LeaseSettings = LeaseSettings()
    nightly: NightlySettings = NightlySettings()
    browser: BrowserSettings = BrowserSettings()

    def content_hash(self) -> str:
        """SHA-256 (hex) of the settings that can shape a result: all but those of `_SHAPELESS`."""
        content = self.model_dump(mode="json", exclude=_SHAPELESS)
        return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class SettingDescription(NamedTuple):
    """One key as documentation shows it."""

    key: str
    default: Any
    description: str


def load_settings(
    file: str | Path | None = None, *, warehouse: str | None = None, overrides: Sequence[str] = ()
) -> Settings:
    """Settings from the defaults, then `file` (TOML), then `warehouse`, then `overrides`.

    An override is `section.key=value`. The value is read as TOML (`5`, `0.1`, `["afr", "eur"]`); what is not
    TOML is text, as is anything for a key that holds text. An empty value unsets a key that may be unset.

    Raises
    ------
    SettingsError
        One message with every unknown key (and the nearest known one) and every wrong value, each with the
        file or option that it came from.
    """
    sources = Sources(Settings)
    if file is not None:
        sources.add_file(Path(file))
    if warehouse is not None:
        sources.add(("warehouse",), warehouse, "--warehouse")
    for override in overrides:
        sources.add_override(override)
    settings = Settings()
    try:
        settings = Settings.model_validate(sources.values())
    except ValidationError as error:
        sources.add_errors(error)
    sources.raise_problems()
    return settings


def describe_settings() -> list[SettingDescription]:
    """Key, default and description of every setting, in order: what the documentation prints."""
    return [
        SettingDescription(
            ".".join(path), field.get_default(call_default_factory=True), field.description or ""
        )
        for path, field in leaf_fields(Settings)
    ]
