from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_AGENCY, OWN_BORROWER, Isolate


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate("ledger_account"),
        Isolate("ledger_entry", lender="ri", worker="ri", append_only=True),
        Isolate("ledger_leg", lender="ri", worker="ri", append_only=True),
        Isolate("ledger_statement", agency=("ru", OWN_AGENCY)),
        Isolate("ledger_remittance", agency=("ri", OWN_AGENCY)),
        Isolate("ledger_remittance_line", agency=("ri", OWN_AGENCY)),
        Isolate("ledger_bank_line"),
        Isolate(
            "ledger_payment",
            lender="ri",
            worker="ri",
            agency=("r", OWN_AGENCY),
            borrower=("r", OWN_BORROWER),
            append_only=True,
        ),
        Isolate("ledger_commission_line", agency=("r", OWN_AGENCY)),
    ]
