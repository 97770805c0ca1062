"""The day of the last booked money is the borrower's last acknowledgement: limitation runs anew from it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("book", "0005_ageing")]
    operations = [
        # what was booked before is filled in by a migration of the ledger, which knows the days
        migrations.AddField(model_name="account", name="last_paid_on", field=models.DateField(null=True)),
    ]
