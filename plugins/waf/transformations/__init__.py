"""Functions that normalise a value before an operator reads it, by their name in small letters."""

from __future__ import annotations

from .codings import CODINGS
from .comments import COMMENTS
from .entities import ENTITIES
from .escapes import ESCAPES
from .model import Transformation
from .paths import PATHS
from .spaces import SPACES
from .urls import URLS
from .utf8 import UTF8

__all__ = ["TRANSFORMATIONS", "Transformation"]

_ALL = (*CODINGS, *COMMENTS, *ENTITIES, *ESCAPES, *PATHS, *SPACES, *URLS, *UTF8)
TRANSFORMATIONS = {transformation.name.lower(): transformation for transformation in _ALL}
TRANSFORMATIONS["normalisepath"] = TRANSFORMATIONS["normalizepath"]
TRANSFORMATIONS["normalisepathwin"] = TRANSFORMATIONS["normalizepathwin"]
