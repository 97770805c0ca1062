"""A strategy row says who may get an account that comes back, and whether a borrower's accounts may be split."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0003_in_reach")]
    operations = [
        migrations.AddField(
            model_name="strategyrow", name="again", field=models.CharField(db_default="OTHER", max_length=12)
        ),
        migrations.AddField(
            model_name="strategyrow", name="split", field=models.BooleanField(db_default=False)
        ),
    ]
