from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import Isolate, References


class Migration(migrations.Migration):
    dependencies = [("placement", "0007_left_out_and_held_out"), ("tenancy", "0002_references")]
    operations = [
        References("placement_run_exclusion", "account_id", "book_account"),
        Isolate("placement_run_exclusion", append_only=True),
    ]
