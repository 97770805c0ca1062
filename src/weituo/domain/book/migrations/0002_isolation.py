from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import OWN_BORROWER, Isolate


class Migration(migrations.Migration):
    dependencies = [("book", "0001_initial"), ("audit", "0001_initial")]
    operations = [
        Isolate("book_import_file"),
        Isolate("book_borrower", borrower=("r", "id = (SELECT sec.borrower_id())")),
        Isolate("book_account", borrower=("r", OWN_BORROWER)),
        Isolate("book_repayment_month", borrower=("r", "account_id IN (SELECT id FROM book_account)")),
        Isolate("book_contact_point", borrower=("r", OWN_BORROWER)),
        Isolate("book_hold", borrower=("ri", OWN_BORROWER)),
    ]
