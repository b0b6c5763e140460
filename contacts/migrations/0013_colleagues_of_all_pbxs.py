"""A book of colleagues for each PBX and one for who has none, seen by everybody."""

from typing import Any

from django.db import migrations, models


def mark(apps: Any, schema_editor: Any) -> None:
    """Have the books written anew where they are next read: those that are missing come then."""
    apps.get_model("contacts", "Book").objects.filter(kind="colleagues").update(is_stale=True)


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0012_unreadable_numbers_of_imports"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="book",
            index=models.Index(
                fields=["kind"],
                condition=models.Q(kind="colleagues"),
                name="books_of_colleagues",
            ),
        ),
        migrations.AddConstraint(
            model_name="book",
            constraint=models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(kind="colleagues", pbx=None),
                name="one_book_without_pbx",
            ),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
