"""Encoders of other libraries: read all, and write where the target can hold them."""

from pruneasr.encoder.interop.huggingface_export import export_huggingface
from pruneasr.encoder.interop.source import import_encoder
from pruneasr.encoder.interop.tables import Imported

__all__ = ["Imported", "export_huggingface", "import_encoder"]
