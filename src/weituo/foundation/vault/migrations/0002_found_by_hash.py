from __future__ import annotations

from django.db import migrations, models

from weituo.foundation.tenancy.operations import References


class Migration(migrations.Migration):
    dependencies = [("vault", "0001_initial"), ("tenancy", "0002_references")]
    operations = [
        migrations.RemoveIndex(model_name="sealedfield", name="vault_field_blind"),
        migrations.AddIndex(
            model_name="sealedfield",
            index=models.Index(
                condition=models.Q(("blind__isnull", False)), fields=["blind"], name="vault_field_found"
            ),
        ),
        References("vault_field", "subject_id", "vault_subject"),
    ]
