"""Acts of sharing: keys, packages, receipts, single openings, taking back, destruction."""

from __future__ import annotations

from weituo.domain.sharing.services.destruction import confirm_destruction
from weituo.domain.sharing.services.opening import OPENINGS_PER_HOUR_MAX, disclose_case
from weituo.domain.sharing.services.packages import REPLACED, acknowledge_package, build_package, hand_over
from weituo.domain.sharing.services.recipients import fingerprint, register_recipient
from weituo.domain.sharing.services.revocation import (
    revoke_package,
    revoke_packages,
    sweep_files,
    take_back_cases,
)

__all__ = [
    "OPENINGS_PER_HOUR_MAX",
    "REPLACED",
    "acknowledge_package",
    "build_package",
    "confirm_destruction",
    "disclose_case",
    "fingerprint",
    "hand_over",
    "register_recipient",
    "revoke_package",
    "revoke_packages",
    "sweep_files",
    "take_back_cases",
]
