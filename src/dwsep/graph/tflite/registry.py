"""Which function imports which operator of TFLite."""

from ..importing.registry import Importers, registration

IMPORTERS: Importers = {}
operator = registration(IMPORTERS)
