from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contact", "0003_in_reach")]

    operations = [
        migrations.AddField(
            model_name="permit",
            name="void_reasons",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
