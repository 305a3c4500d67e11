"""Copies that were brought into another case before consents were kept by use: name the item and the consent."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def link_copies(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The custody of such a copy names the item that it came from; its case names the consent."""
    items, consents = apps.get_model("evidence", "Item"), apps.get_model("evidence", "UseConsent")
    steps = apps.get_model("evidence", "CustodyEvent").objects.filter(verb="used in another case")
    for step in steps.select_related("item").order_by("pk"):
        source = items.objects.filter(reference=step.detail.rpartition(" ")[2]).first()
        if source is None or step.item.package_id != source.package_id:
            continue
        consent = consents.objects.filter(item=source, case_id=step.item.case_id).order_by("pk").first()
        items.objects.filter(pk=step.item_id, copy_of=None).update(copy_of=source, under_consent=consent)


class Migration(migrations.Migration):
    dependencies = [("evidence", "0002_limits_of_use")]

    operations = [migrations.RunPython(link_copies, migrations.RunPython.noop)]
