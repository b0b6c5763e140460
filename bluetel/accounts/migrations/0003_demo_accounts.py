from django.db import migrations, models

MARK_KNOWN = """
UPDATE accounts_user SET is_demo = TRUE WHERE email LIKE '%@demo.test'
 AND pbx_id IN (SELECT id FROM accounts_pbx WHERE name = 'demo')
"""
"""Earlier demos left their people under this PBX's name, with addresses that nobody has."""


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
        migrations.RunSQL(MARK_KNOWN, migrations.RunSQL.noop),
    ]
