"""Foreign keys of what is loaded by the million are checked once a statement."""

from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import References


class Migration(migrations.Migration):
    dependencies = [("book", "0003_history_in_one_row"), ("tenancy", "0002_references")]
    operations = [
        References("book_account", "borrower_id", "book_borrower"),
        References("book_account", "import_file_id", "book_import_file"),
        References("book_repayment_history", "account_id", "book_account"),
        References("book_contact_point", "borrower_id", "book_borrower"),
    ]
