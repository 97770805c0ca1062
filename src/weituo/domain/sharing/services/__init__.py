"""Acts of sharing: keys, packages, receipts, single openings, revocation."""

from __future__ import annotations

from weituo.domain.sharing.services.opening import OPENINGS_PER_HOUR_MAX, disclose_case
from weituo.domain.sharing.services.packages import acknowledge_package, build_package, hand_over
from weituo.domain.sharing.services.recipients import fingerprint, register_recipient
from weituo.domain.sharing.services.revocation import revoke_package, revoke_packages, sweep_files

__all__ = [
    "OPENINGS_PER_HOUR_MAX",
    "acknowledge_package",
    "build_package",
    "disclose_case",
    "fingerprint",
    "hand_over",
    "register_recipient",
    "revoke_package",
    "revoke_packages",
    "sweep_files",
]
