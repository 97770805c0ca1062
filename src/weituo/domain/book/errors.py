"""Refusals of the book."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotFound


class FileRefused(BadInput):
    """The file cannot be read: %(problem)s."""

    code = "file_refused"
    remedy = "Correct the file and import it again; nothing of it was kept."


class ProfileRefused(BadInput):
    """The profile is not usable: %(problem)s."""

    code = "profile_refused"
    remedy = "See docs/reference/profiles.md for the keys a profile has."


class ColumnMissing(BadInput):
    """The file has no column %(column)s that the profile maps."""

    code = "column_missing"
    remedy = "Add the column to the file, or map another one in the profile."


class NothingToImport(BadInput):
    """The file holds no row to import."""

    code = "nothing_to_import"
    remedy = "Check the file and the profile's filter."


class ProfileChanged(Conflict):
    """This file was imported on %(day)s by another content of the profile %(profile)s, or for another day; its accounts stand in the book."""

    code = "profile_changed"
    remedy = 'To take over what the file says by the profile as it is now, write known = "refresh" into its table [account].'


class AllRowsRejected(BadInput):
    """Every one of %(rows)s rows was rejected; nothing was imported. The reasons are in %(rejects)s."""

    code = "all_rows_rejected"
    remedy = "Read the reject file: each line names row, column, value and rule."


class NotReconciled(Conflict):
    """The totals do not reconcile: %(problem)s. Nothing was imported."""

    code = "not_reconciled"
    remedy = "This is a fault of the program; keep the file and report it."


class HoldStands(Conflict):
    """The same hold is in force already."""

    code = "hold_stands"
    remedy = "Nothing needs to be done; end it where it stands when its reason is gone."


class HoldNotFound(NotFound):
    """There is no such hold in force."""

    code = "hold_not_found"
