"""SQLite: how long each number is needn't be kept, for no answer is ranked by it."""

from django.db import migrations

TABLE = """
CREATE VIRTUAL TABLE contacts_digits USING fts5(
    keypad, content='contacts_line', content_rowid='id', tokenize='trigram'{more}
)
"""


def make_anew(schema_editor, more):
    """The table and what is in it; the triggers that keep it up know it by its name."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE contacts_digits")
        schema_editor.execute(TABLE.format(more=more))
        schema_editor.execute("INSERT INTO contacts_digits (contacts_digits) VALUES ('rebuild')")


def leave_out(apps, schema_editor):
    make_anew(schema_editor, ", columnsize=0")


def keep(apps, schema_editor):
    make_anew(schema_editor, "")


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0010_parts_on_postgresql"),
    ]

    operations = [
        migrations.RunPython(leave_out, keep),
    ]
