from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("forwarding", "0005_resting_calendars"),
    ]

    operations = [
        migrations.AddField(
            model_name="automation",
            name="until_hang_up",
            field=models.BooleanField(default=False),
        ),
    ]
