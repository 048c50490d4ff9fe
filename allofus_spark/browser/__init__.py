"""The variant browser: web pages and JSON over a release's folder, without Spark.

`prepare` makes the index of a release once; `create_app` answers from it, batch by batch, with a cache of
bounded size.
"""

from allofus_spark.browser.app import create_app
from allofus_spark.browser.index import prepare
from allofus_spark.browser.serve import serve

__all__ = ["create_app", "prepare", "serve"]
