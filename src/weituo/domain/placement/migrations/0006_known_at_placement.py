from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Keep with a run what was known of its accounts, so that a model can learn from placements."""

    dependencies = [("placement", "0005_in_reach")]
    operations = [
        migrations.AddField(model_name="runinputs", name="known", field=models.BinaryField(null=True)),
    ]
