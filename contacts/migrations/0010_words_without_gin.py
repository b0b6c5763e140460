"""On PostgreSQL several words are found by the table of words: its index of texts goes."""

from django.db import migrations

CREATE = """
CREATE INDEX IF NOT EXISTS contact_by_words ON contacts_contact
USING gin (array_to_tsvector(string_to_array(ltrim(found_by), ' ')))
"""


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS contact_by_words")


def create(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(CREATE)


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0009_said_of_deleted_contacts"),
    ]

    operations = [migrations.RunPython(drop, create)]
