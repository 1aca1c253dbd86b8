"""How static files are named."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Names with the hash of the file's content; plain names where the files were never collected."""

    def stored_name(self, name: str) -> str:
        return super().stored_name(name) if self.hashed_files else name
