"""An index of the words of each contact: FTS5 on SQLite, a GIN index on PostgreSQL."""

from django.db import migrations

from contacts.index.postings import found_by
from contacts.records import texts_of

BATCH = 1000

CREATE = {
    "sqlite": [
        """
        CREATE VIRTUAL TABLE contacts_text USING fts5(
            found_by, content='contacts_contact', content_rowid='id', tokenize='ascii',
            prefix='7 8 9 11', detail='none', columnsize=0
        )
        """,
        "INSERT INTO contacts_text (contacts_text) VALUES ('rebuild')",
        """
        CREATE TRIGGER contacts_contact_comes AFTER INSERT ON contacts_contact BEGIN
            INSERT INTO contacts_text (rowid, found_by) VALUES (new.id, new.found_by);
        END
        """,
        """
        CREATE TRIGGER contacts_contact_goes AFTER DELETE ON contacts_contact BEGIN
            INSERT INTO contacts_text (contacts_text, rowid, found_by)
            VALUES ('delete', old.id, old.found_by);
        END
        """,
        """
        CREATE TRIGGER contacts_contact_changes AFTER UPDATE OF found_by ON contacts_contact
        WHEN old.found_by <> new.found_by BEGIN
            INSERT INTO contacts_text (contacts_text, rowid, found_by)
            VALUES ('delete', old.id, old.found_by);
            INSERT INTO contacts_text (rowid, found_by) VALUES (new.id, new.found_by);
        END
        """,
    ],
    "postgresql": [
        """
        CREATE INDEX contact_by_words ON contacts_contact
        USING gin (array_to_tsvector(string_to_array(ltrim(found_by), ' ')))
        """,
    ],
}
DROP = {
    "sqlite": [
        "DROP TRIGGER contacts_contact_comes",
        "DROP TRIGGER contacts_contact_goes",
        "DROP TRIGGER contacts_contact_changes",
        "DROP TABLE contacts_text",
    ],
    "postgresql": ["DROP INDEX contact_by_words"],
}


def create(apps, schema_editor):
    for statement in CREATE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    for statement in DROP[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def fill(apps, schema_editor):
    """Give contacts that are there already their words."""
    contacts = apps.get_model("contacts", "Contact").objects.order_by("pk")
    emails = apps.get_model("contacts", "Email").objects
    lines = apps.get_model("contacts", "Line").objects
    last = 0
    while batch := list(contacts.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        ids = [contact.pk for contact in batch]
        addresses = {}
        within = emails.filter(contact__in=ids).order_by("position")
        for pk, address in within.values_list("contact", "address"):
            addresses.setdefault(pk, []).append(address)
        callable_ids = set(
            lines.filter(contact__in=ids, is_callable=True).values_list("contact", flat=True)
        )
        for contact in batch:
            texts = texts_of(
                contact, addresses.get(contact.pk, []), is_callable=contact.pk in callable_ids
            )
            contact.found_by = found_by(contact.book_id, texts)
        contacts.bulk_update(batch, ["found_by"])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("contacts", "0006_found_by"),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, atomic=True),
        migrations.RunPython(create, drop, atomic=True),
    ]
