from django.db import migrations, models


def mark_known(apps, schema_editor):
    """Earlier demos left their people under this PBX's name, with addresses that nobody has."""
    users = apps.get_model("accounts", "User").objects
    users.filter(pbx__name="demo", email__endswith="@demo.test").update(is_demo=True)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_own_logins_and_options"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="is_demo",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "Made by the demo, whose password everybody knows: only the demo lets it in."
                ),
                verbose_name="demo account",
            ),
        ),
        migrations.RunPython(mark_known, migrations.RunPython.noop),
    ]
