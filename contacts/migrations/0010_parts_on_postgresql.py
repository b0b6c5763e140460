"""PostgreSQL: parts of words and of numbers are written down, so that what is asked is one of them.

A text search reads everything under a beginning, and pg_trgm everything that has three digits of
four. Both indexes are kept up at once: what is put by for later is read by every search.
"""

from django.db import migrations

CUTS = """
CREATE FUNCTION contacts_cuts(found_by text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT COST 1000 AS $$
-- The first letter of each word, its first two, three and five; before them is the book's mark.
DECLARE
    word text;
    cuts text[];
BEGIN
    FOREACH word IN ARRAY string_to_array(ltrim(found_by), ' ') LOOP
        cuts := cuts || ARRAY[left(word, 7), left(word, 8), left(word, 9), left(word, 11)];
    END LOOP;
    RETURN coalesce(array_to_tsvector(cuts), '');
END $$
"""
PARTS = """
CREATE FUNCTION contacts_parts(keypad text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT COST 1000 AS $$
-- Four characters from each place on, at the end fewer.
DECLARE
    parts text[];
BEGIN
    FOR place IN 1 .. length(keypad) LOOP
        parts := parts || substr(keypad, place, 4);
    END LOOP;
    RETURN coalesce(array_to_tsvector(parts), '');
END $$
"""
CREATE = [
    CUTS,
    PARTS,
    "DROP INDEX contact_by_words",
    "DROP INDEX line_by_keypad",
    "CREATE INDEX contact_by_cuts ON contacts_contact USING gin (contacts_cuts(found_by))"
    " WITH (fastupdate = off)",
    "CREATE INDEX line_by_parts ON contacts_line USING gin (contacts_parts(keypad))"
    " WITH (fastupdate = off)",
]
DROP = [
    "DROP INDEX line_by_parts",
    "DROP INDEX contact_by_cuts",
    "CREATE INDEX line_by_keypad ON contacts_line USING gin (keypad gin_trgm_ops)",
    "CREATE INDEX contact_by_words ON contacts_contact"
    " USING gin (array_to_tsvector(string_to_array(ltrim(found_by), ' ')))",
    "DROP FUNCTION contacts_parts",
    "DROP FUNCTION contacts_cuts",
]


def create(apps, schema_editor):
    _carry_out(CREATE, schema_editor)


def drop(apps, schema_editor):
    _carry_out(DROP, schema_editor)


def _carry_out(statements, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for statement in statements:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0009_said_of_deleted_contacts"),
    ]

    operations = [
        migrations.RunPython(create, drop),
    ]
