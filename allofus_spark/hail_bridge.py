"""Hail inside our Spark session: the only place that starts it.

Hail is imported here and in the few stages that read its formats, never at the top of a module: importing it
costs seconds that every other command would pay.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import warnings

from pyspark.sql import SparkSession

from allofus_spark.errors import BuildMismatch


def start_hail(spark: SparkSession, build_name: str) -> None:
    """Start Hail in `spark` with `build_name` as its default reference; once started, only set the reference.

    Raises
    ------
    BuildMismatch
        When Hail has no reference of that name.
    """
    import hail as hl
    from hail.context import BUILTIN_REFERENCES
    from hail.utils.java import Env

    if build_name not in BUILTIN_REFERENCES:
        known = ", ".join(BUILTIN_REFERENCES)
        raise BuildMismatch(f"Hail has no reference genome named {build_name}; it has {known}")
    if Env.is_fully_initialized() and Env.backend()._spark.sparkContext._jsc is not spark.sparkContext._jsc:
        hl.stop()  # it belongs to a Spark context that has been stopped
    if not Env.is_fully_initialized():
        scratch = tempfile.mkdtemp(prefix="allofus-hail-")
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        with warnings.catch_warnings():
            # It recalls the jars to anyone who brings a session, and ours were checked when it started.
            warnings.filterwarnings("ignore", "Hail requires additional configuration", UserWarning)
            hl.init(
                sc=spark.sparkContext,
                quiet=True,
                show_progress=False,
                tmp_dir=f"file://{scratch}",
                local_tmpdir=f"file://{scratch}",
                log=f"{scratch}/hail.log",
                skip_logging_configuration=True,  # else the driver's log lines would vanish into Hail's file
            )
    if hl.default_reference().name != build_name:
        hl.default_reference(hl.get_reference(build_name))
