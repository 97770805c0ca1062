from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """A decision keeps what it changed."""

    dependencies = [("evaluation", "0002_isolation")]
    operations = [
        migrations.AddField(model_name="decision", name="detail", field=models.JSONField(default=dict)),
    ]
