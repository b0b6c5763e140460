"""Meetings of which nobody else is part may count for nothing; calendars are read anew for it.

What was uploaded as a file is not there to be read: its events count as before.
"""

from django.db import migrations, models


def forget_what_was_read(apps, schema_editor):
    del schema_editor
    apps.get_model("forwarding", "Collection").objects.update(
        etag="", last_modified="", sync_token=""
    )
    apps.get_model("forwarding", "CalendarObject").objects.update(etag="", digest="")


class Migration(migrations.Migration):
    dependencies = [
        ("forwarding", "0006_until_hang_up"),
    ]

    operations = [
        migrations.AddField(
            model_name="automation",
            name="only_with_others",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="occurrence",
            name="is_alone",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(forget_what_was_read, migrations.RunPython.noop),
    ]
