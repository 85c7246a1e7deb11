"""What can go wrong with adapters and their store, each with a stable `code`.

A message says what failed, the value got, what was expected and what to do next.
"""

# The names say what happened; every one of them is an error.
# ruff: noqa: N818

from collections.abc import Sequence

from adapters.findings import Finding


class AdapterError(Exception):
    """Anything that an adapter, a reference or the store refuses; the base of all below."""

    code = "adapter_error"


class UnknownAdapter(AdapterError):
    """A name, a version or an alias that the store does not hold."""

    code = "unknown_adapter"


class InvalidReference(AdapterError):
    """A name, alias or reference that is not well-formed."""

    code = "invalid_reference"


class AliasConflict(AdapterError):
    """An alias does not point where the caller expected; somebody else moved it."""

    code = "alias_conflict"


class NoPreviousTarget(AdapterError):
    """A rollback of an alias that never pointed anywhere else, or whose past is gone."""

    code = "no_previous_target"


class AdapterRefused(AdapterError):
    """The gate found something; `findings` holds every reason."""

    code = "adapter_refused"

    def __init__(self, what: str, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        reasons = "\n".join(f"  {finding}" for finding in findings)
        super().__init__(
            f"{what} is refused, {len(findings)} finding(s), expected none:\n{reasons}\n"
            "Mend what each line names, then try again."
        )


class ImportRefused(AdapterError):
    """A source from elsewhere is not one adapter that can be read safely."""

    code = "import_refused"


class ExportRefused(AdapterError):
    """The place to export to is taken."""

    code = "export_refused"


class BackupRefused(AdapterError):
    """A store is not where it is copied from, or the place to copy to is taken."""

    code = "backup_refused"


class VersionDamaged(AdapterError):
    """The bytes of a version are not those that were published."""

    code = "version_damaged"


class StoreDamaged(AdapterError):
    """A record of the store cannot be read; `fsck` names and mends it."""

    code = "store_damaged"


class StoreBusy(AdapterError):
    """Somebody held the lock of a name for longer than the time allowed."""

    code = "store_busy"


class StoreWriteFailed(AdapterError):
    """The disk refused a write: full, read-only or broken. Nothing half-written is visible."""

    code = "store_write_failed"
