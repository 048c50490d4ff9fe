"""The random forest that names an ancestry, and its bytes.

Bytes are in the skops format: a zip of a description in JSON and of arrays, of which nothing is run when it
is read. They are read with the one type beyond scikit-learn's public ones that a forest needs, and only where
they are a forest. skops and scikit-learn take a second and a half to import: whoever has a forest waits for
them, not every job and worker that imports this package.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from allofus_spark.errors import BadSource, shown
from allofus_spark.settings import AncestrySettings

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

# The nodes of a tree, compiled by scikit-learn, which skops does not count among what may be trusted unseen.
_TRUSTED = frozenset({"sklearn.tree._tree.Tree"})
_SEED = 0
_SCHEMA = "schema.json"
_NUMBERED = re.compile(r'("__id__": |"file": ")(\d+)')
# The zip format begins in 1980: a time of writing would make the bytes of equal forests differ.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


def grow_forest(
    scores: npt.NDArray[np.float64], labels: Sequence[str], settings: AncestrySettings
) -> RandomForestClassifier:
    """A forest that tells labels from scores float64[n, n_pcs]; equal input gives an equal forest."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(settings.n_trees, random_state=_SEED, n_jobs=-1)
    forest.fit(scores, np.asarray(labels))
    forest.n_jobs = 1  # tasks share the cores
    return forest


def forest_bytes(forest: RandomForestClassifier) -> bytes:
    """The forest in the skops format; equal forests have equal bytes."""
    import skops.io

    given = io.BytesIO(skops.io.dumps(forest))
    made = io.BytesIO()
    # skops names arrays by their place in memory.
    places: dict[str, str] = {}
    with zipfile.ZipFile(given) as source, zipfile.ZipFile(made, "w") as target:
        held = source.read(_SCHEMA).decode()
        schema = _NUMBERED.sub(lambda found: found[1] + places.setdefault(found[2], str(len(places))), held)
        names = {
            f"{places[name.removesuffix('.npy')]}.npy": name for name in source.namelist() if name != _SCHEMA
        }
        contents = {_SCHEMA: schema.encode(), **{name: source.read(names[name]) for name in sorted(names)}}
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, _NO_TIME)
            target.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def read_forest(data: bytes, model_id: str, groups: Sequence[str], n_pcs: int) -> RandomForestClassifier:
    """The forest of a model; raises BadSource where the bytes are no forest over its groups and PCs."""
    from sklearn.ensemble import RandomForestClassifier

    forest = _loaded(data, model_id)
    if not isinstance(forest, RandomForestClassifier):
        raise BadSource(
            f"model {model_id}: its forest is a {type(forest).__name__}, not a random forest; train or "
            "import it again"
        )
    classes, n_features = list(getattr(forest, "classes_", ())), getattr(forest, "n_features_in_", 0)
    if classes != list(groups) or n_features != n_pcs:
        raise BadSource(
            f"model {model_id}: its forest tells {', '.join(map(str, classes))} apart by {n_features} PCs, "
            f"the model has {', '.join(groups)} and {n_pcs}; train or import it again"
        )
    return forest


def _loaded(data: bytes, model_id: str) -> Any:
    import skops.io

    try:
        unknown = sorted(set(skops.io.get_untrusted_types(data=data)) - _TRUSTED)
        if unknown:
            raise BadSource(
                f"model {model_id}: its forest holds types that no forest of ours has: {shown(unknown)}. It "
                "was not read; take the model from where it was trained again"
            )
        return skops.io.loads(data, trusted=sorted(_TRUSTED))
    except BadSource:
        raise
    except Exception as error:  # whatever a damaged zip, JSON or array makes skops raise
        raise BadSource(
            f"model {model_id}: its forest cannot be read ({type(error).__name__}: {error}): it is damaged, "
            "or of another version of scikit-learn or skops; train or import it again"
        ) from None
