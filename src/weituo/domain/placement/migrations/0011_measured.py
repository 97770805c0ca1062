from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("placement", "0010_isolate_answers")]
    operations = [
        migrations.AddField("runitem", "measured", models.BooleanField(db_default=False)),
        migrations.AddField("placement", "measured", models.BooleanField(db_default=False)),
    ]
