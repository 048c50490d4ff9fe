"""``python -m allofus_spark.settings``: every key with its default and its reason."""

import textwrap

from allofus_spark.settings import describe_settings

for setting in describe_settings():
    print(f"{setting.key} = {setting.default}")
    print(textwrap.indent(textwrap.fill(setting.description, width=100), "    "))
