"""Refusals of sharing."""

from __future__ import annotations

from weituo.foundation.errors import BadInput, Conflict, NotFound


class NothingMayBeShared(Conflict):
    """%(agency)s may be given nothing: %(lacking)s."""

    code = "nothing_may_be_shared"
    rule = "PIPL Art. 21"
    remedy = "Put right what is missing, then try again."


class NoCasesToShare(Conflict):
    """This run placed no case with %(agency)s that is still active."""

    code = "no_cases_to_share"
    remedy = "Choose a run that placed cases with this agency."


class MixedCurrencies(Conflict):
    """The cases of this run are in %(currencies)s; a control total needs one currency."""

    code = "mixed_currencies"
    remedy = "Place each currency in a run of its own."


class PackageStands(Conflict):
    """A package of this run for this agency stands already."""

    code = "package_stands"
    remedy = "Revoke it first, then build it again."


class PackageNotFound(NotFound):
    """There is no such package, or it is not yours to see."""

    code = "package_not_found"


class PackageRevoked(Conflict):
    """The package was revoked and its file destroyed."""

    code = "package_revoked"
    remedy = "Destroy every copy, and ask the lender for a new package."


class PackageOutdated(Conflict):
    """%(taken_back)s of the %(cases)s cases in this package were taken back; its file is destroyed."""

    code = "package_outdated"
    rule = "PIPL Art. 21"
    remedy = (
        "Destroy these cases wherever you hold them and confirm it; ask the lender to seal the others anew."
    )


class CasesTakenBack(Conflict):
    """%(taken_back)s cases were taken back while the package was sealed; it was thrown away."""

    code = "cases_taken_back"
    remedy = "Build the package again."


class DestructionNotFound(NotFound):
    """There is no such demand to destroy, or it is not yours to see."""

    code = "destruction_not_found"


class DestructionMiscounted(BadInput):
    """You confirmed %(confirmed)s destroyed cases; %(asked)s must be destroyed."""

    code = "destruction_miscounted"
    rule = "control totals"
    remedy = "Destroy every case that is named, then confirm their number."


class FileMissing(Conflict):
    """The file of this package is missing or was altered."""

    code = "package_file_missing"
    remedy = "Revoke the package and build it again."


class TotalsDiffer(Conflict):
    """What you received differs from what was sent: %(differences)s."""

    code = "totals_differ"
    rule = "control totals"
    remedy = "Fetch the file again, and tell the lender when it still differs."


class RecipientRefused(BadInput):
    """The recipient key is not usable: %(problem)s."""

    code = "recipient_refused"
    remedy = "Send the public key that begins with age1; it is made with age-keygen."


class PrivateKeyShown(BadInput):
    """This is a private key. It was not kept, but it is no longer secret."""

    code = "private_key_shown"
    rule = "a private key never leaves its agency"
    remedy = "Let the agency make a new key pair and send only the public key."


class CaseNotFound(NotFound):
    """There is no such case, or it is not yours to see."""

    code = "case_not_found"


class CaseEnded(Conflict):
    """The case is no longer placed with you; its facts are closed."""

    code = "case_ended"
    rule = "PIPL Art. 21"
    remedy = "Destroy what you hold of it and confirm the destruction."


class TooManyOpenings(Conflict):
    """You opened %(opened)s cases within an hour; at most %(most)s are allowed."""

    code = "too_many_openings"
    status = 429
    rule = "house rule: openings an hour"
    remedy = "Work from the package, or go on at %(again_at)s."


class ReasonNeeded(BadInput):
    """A reason is needed to revoke a package."""

    code = "reason_needed"
