"""How large each envelope of the outbox is, so that a batch is chosen without reading any."""

from typing import Any

from django.db import migrations, models
from django.db.models.functions import Length


def measure(apps: Any, _: Any) -> None:
    """Measure what is there."""
    apps.get_model("exchange", "Outgoing").objects.update(size=Length("envelope"))


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0003_relay"),
    ]

    operations = [
        migrations.AddField(
            model_name="outgoing",
            name="size",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.RunPython(measure, migrations.RunPython.noop),
    ]
