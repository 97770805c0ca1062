from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("identity", "0003_who_may_change_people")]
    operations = [
        # a new function is everybody's; this one is asked by the policies of lender and worker alone
        migrations.RunSQL(
            "REVOKE EXECUTE ON FUNCTION sec.administers() FROM PUBLIC",
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
