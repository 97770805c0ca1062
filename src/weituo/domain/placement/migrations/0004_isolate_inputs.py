from __future__ import annotations

from django.db import migrations

from weituo.foundation.tenancy.operations import Isolate


class Migration(migrations.Migration):
    dependencies = [("placement", "0003_run_inputs")]
    operations = [
        Isolate("placement_run_inputs", append_only=True),
        # what decides is looked up by agency and state, by account, and by run
        migrations.RunSQL(
            "CREATE INDEX placement_account_any ON placement_placement (account_id);"
            "CREATE INDEX placement_run_any ON placement_placement (run_id);",
            reverse_sql="DROP INDEX placement_run_any; DROP INDEX placement_account_any;",
        ),
    ]
