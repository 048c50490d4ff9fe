"""The variant browser: web pages and JSON over a release's folder, without Spark.

`prepare` looks over the release once and lays anew what cannot be looked up quickly; `create_app` answers from
it with Parquet row groups that are found by their statistics and kept in a cache of bounded size.
"""

from allofus_spark.browser.app import create_app
from allofus_spark.browser.prepare import prepare
from allofus_spark.browser.serve import serve

__all__ = ["create_app", "prepare", "serve"]
