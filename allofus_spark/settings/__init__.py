"""Settings: one typed model with every default, read from TOML and the command line.

Order, later wins: the defaults below < a TOML file < `--warehouse` < `--set key=value`. A number has its home
here and nowhere else, with its unit in the name and its reason beside it. Unknown keys and wrong values are
collected and reported together, so that one run shows all that has to be mended.

`python -m allofus_spark.settings` prints every key with its default and its reason.
"""

from allofus_spark.settings.access import AccessSettings, Issuer, VisaType
from allofus_spark.settings.model import SettingDescription, Settings, describe_settings, load_settings
from allofus_spark.settings.people import (
    OWN_DEFINITIONS,
    AncestrySettings,
    RelatednessSettings,
    RepresentationSettings,
)
from allofus_spark.settings.release import BrowserSettings, ReleasePolicies, ReleaseReasons, ReleaseSettings
from allofus_spark.settings.running import LeaseSettings, MaintenanceSettings, NightlySettings, SparkSettings
from allofus_spark.settings.section import MIB, NAME_PATTERN, max_rows_per_batch
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

__all__ = [
    "MIB",
    "NAME_PATTERN",
    "OWN_DEFINITIONS",
    "AccessSettings",
    "AncestrySettings",
    "AssociationSettings",
    "BrowserSettings",
    "ConsequenceSettings",
    "ExportSettings",
    "FrequencySettings",
    "GenomeSettings",
    "IngestSettings",
    "Issuer",
    "LeaseSettings",
    "MaintenanceSettings",
    "NightlySettings",
    "PhenotypeSettings",
    "QcSettings",
    "RelatednessSettings",
    "ReleasePolicies",
    "ReleaseReasons",
    "ReleaseSettings",
    "ReplicationSettings",
    "RepresentationSettings",
    "SettingDescription",
    "Settings",
    "SiteSettings",
    "SparkSettings",
    "SummarySettings",
    "VisaType",
    "describe_settings",
    "load_settings",
    "max_rows_per_batch",
]
