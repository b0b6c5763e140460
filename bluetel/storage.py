"""Static files under hashed names, their JavaScript imports included."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Rewrites ``import "./x.js"`` to the hashed name, so that old and new modules never mix."""

    support_js_module_import_aggregation = True
