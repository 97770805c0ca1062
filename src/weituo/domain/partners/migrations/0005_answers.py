from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("partners", "0004_relations"),
    ]

    operations = [
        migrations.AddField(
            model_name="agreement",
            name="accepts_in_advance",
            field=models.BooleanField(db_default=True),
        ),
    ]
