from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("forwarding", "0004_only_by_hand"),
    ]

    operations = [
        migrations.AddField(
            model_name="calendar",
            name="rests_since",
            field=models.DateTimeField(null=True),
        ),
    ]
