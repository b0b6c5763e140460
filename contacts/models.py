"""Address books, the people in them, and the tables that find them.

A *contact* is what one book says of somebody. What several books say of the same person hangs
together by :class:`Person`: an entry of the contact base is all its contacts that the reader may
see. The rows of :class:`Word` and :class:`Spelling` are written by :mod:`contacts.index` only.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from bluetel.accounts.encryption import EncryptedTextField
from contacts.card import EMAIL_LIMIT, NAME_LIMIT, NOTE_LIMIT, NUMBER_LIMIT, Label

WORDS_LENGTH = 40
DIGITS_LENGTH = 40
SORT_LENGTH = 80


class Book(models.Model):
    """One address book, and who may read it.

    Personal books are their owner's alone, shared ones their group's. A directory is everybody's
    and written by its synchronisation only; so are the colleagues: a book for each PBX, named like
    it, and one for who has none.
    """

    class Kind(models.TextChoices):
        """Where a book comes from."""

        PERSONAL = "personal", _("Personal")
        SHARED = "shared", _("Shared")
        DIRECTORY = "directory", _("Company directory")
        COLLEAGUES = "colleagues", _("Colleagues")

    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=NAME_LIMIT, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="books"
    )
    is_default = models.BooleanField(default=False, editable=False)
    group = models.ForeignKey(
        Group,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Whose members see a shared book."),
    )
    members_may_edit = models.BooleanField(default=True)
    is_read_only = models.BooleanField(default=False, editable=False)
    is_stale = models.BooleanField(default=False, editable=False)
    pbx = models.OneToOneField(
        "accounts.Pbx", models.CASCADE, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner"],
                condition=models.Q(is_default=True),
                name="one_default_book",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(kind="directory"),
                name="one_directory",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(kind="colleagues", pbx=None),
                name="one_book_without_pbx",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="personal") | models.Q(owner__isnull=False),
                name="personal_books_have_owners",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["kind"],
                condition=models.Q(kind="colleagues"),
                name="books_of_colleagues",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"book {self.pk}"


class Person(models.Model):
    """Somebody whom several books know; the row holds nothing, its contacts point to it."""

    def __str__(self) -> str:
        return f"person {self.pk}"


class Contact(models.Model):
    """What one book says of somebody; the columns are those of :class:`contacts.card.Card`.

    ``source_id`` and ``marker`` are a directory's own id and its mark of the last change.
    ``version`` grows with each change of the content, and ``digest`` is the content's
    (:func:`contacts.card.digest`). ``sort_name`` is folded and orders lists; ``found_by`` are all
    words that find the contact, folded, a blank before each.
    """

    book = models.ForeignKey(Book, models.CASCADE, related_name="contacts", db_index=False)
    person = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="contacts"
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="contact"
    )
    same_as = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("The contact that somebody has said is the same person."),
    )
    uid = models.TextField(blank=True)
    vcard_version = models.CharField(max_length=3, default="3.0", editable=False)
    digest = models.CharField(max_length=32, blank=True, editable=False)
    source_id = models.CharField(max_length=255, blank=True)
    marker = models.CharField(max_length=255, blank=True)
    name = models.CharField(max_length=NAME_LIMIT)
    sort_name = models.CharField(max_length=SORT_LENGTH)
    family_name = models.CharField(max_length=NAME_LIMIT, blank=True)
    given_name = models.CharField(max_length=NAME_LIMIT, blank=True)
    middle_name = models.CharField(max_length=NAME_LIMIT, blank=True)
    prefix = models.CharField(max_length=NAME_LIMIT, blank=True)
    suffix = models.CharField(max_length=NAME_LIMIT, blank=True)
    company = models.CharField(max_length=NAME_LIMIT, blank=True)
    department = models.CharField(max_length=NAME_LIMIT, blank=True)
    title = models.CharField(max_length=NAME_LIMIT, blank=True)
    assistant = models.CharField(max_length=NAME_LIMIT, blank=True)
    note = models.TextField(max_length=NOTE_LIMIT, blank=True)
    found_by = models.TextField(blank=True, editable=False)
    is_group = models.BooleanField(default=False)
    kept = models.JSONField(default=list, blank=True)
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["book", "source_id"],
                condition=~models.Q(source_id=""),
                name="one_contact_per_source_id",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["book", "sort_name", "id"], name="contact_in_order"),
        ]

    def __str__(self) -> str:
        return f"contact {self.pk}"


class Line(models.Model):
    """One number of a contact, as it was entered.

    ``digits`` say which number it is, however written (country code first, or the extension);
    ``national`` is how the site's country writes it, where that differs; ``keypad`` is what a part
    of it may be looked for in. ``is_callable`` leaves out machines and what has nothing to dial.
    """

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="lines")
    book = models.ForeignKey(Book, models.CASCADE, related_name="+", db_index=False)
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=16, choices=[(label.value, label.value) for label in Label])
    number = models.CharField(max_length=NUMBER_LIMIT)
    extension = models.CharField(max_length=40, blank=True)
    own_label = models.CharField(max_length=NAME_LIMIT, blank=True)
    marks = models.JSONField(default=list, blank=True)
    is_preferred = models.BooleanField(default=False)
    is_callable = models.BooleanField()
    digits = models.CharField(max_length=DIGITS_LENGTH, blank=True)
    national = models.CharField(max_length=DIGITS_LENGTH, blank=True)
    keypad = models.CharField(max_length=DIGITS_LENGTH * 2 + 1, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["book", "digits"], name="line_by_digits"),
            models.Index(fields=["digits"], name="line_by_number"),
            models.Index(
                fields=["book", "national"],
                condition=~models.Q(national=""),
                name="line_by_national",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.pk} of contact {self.contact_id}"


class Email(models.Model):
    """One e-mail address of a contact; ``key`` is the address as it is compared."""

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="emails")
    position = models.PositiveSmallIntegerField()
    address = models.CharField(max_length=EMAIL_LIMIT)
    key = models.CharField(max_length=EMAIL_LIMIT, db_index=True)
    is_preferred = models.BooleanField(default=False)
    own_label = models.CharField(max_length=NAME_LIMIT, blank=True)
    marks = models.JSONField(default=list, blank=True)

    def __str__(self) -> str:
        return f"address {self.pk} of contact {self.contact_id}"


class Photo(models.Model):
    """A contact's picture, kept apart so that lists needn't read it."""

    contact = models.OneToOneField(
        Contact, models.CASCADE, primary_key=True, related_name="picture"
    )
    media_type = models.CharField(max_length=40)
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"picture of contact {self.contact_id}"


class CardDavAccount(models.Model):
    """A user's account at an address-book server; it may have several books there.

    ``found`` are those that were there when it was last looked: ``{"url", "name", "is_writable"}``
    each. ``error`` is why that look failed, as :mod:`contacts.remote_errors` names it.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    url = models.CharField(max_length=2048)
    username = models.CharField(max_length=256, blank=True)
    password = EncryptedTextField(purpose="carddav-password", blank=True)
    found = models.JSONField(default=list, blank=True)
    error = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = "CardDAV account"

    def __str__(self) -> str:
        return f"account {self.pk}"


class RemoteBook(models.Model):
    """A book that is kept equal with one on a server.

    ``token`` is the server's mark of how far we have read. ``held`` removals wait for the user's
    word (``may_empty``), for they are most of the book; ``refused`` cards the server doesn't take.
    ``error`` is why the last round ended early, ``failures`` how many did in a row. ``due_at`` is
    when the next one is, at once when the book ``is_touched``; until ``working_until`` somebody is
    at it.
    """

    book = models.OneToOneField(Book, models.CASCADE, primary_key=True, related_name="remote")
    account = models.ForeignKey(CardDavAccount, models.CASCADE, related_name="books")
    url = models.CharField(max_length=2048)
    is_writable = models.BooleanField(default=True)
    token = models.TextField(blank=True)
    held = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    may_empty = models.BooleanField(default=False)
    synced_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    is_touched = models.BooleanField(default=False)
    working_until = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=40, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "url"], name="one_book_per_address"),
        ]

    def __str__(self) -> str:
        return f"remote {self.pk}"


class RemoteCard(models.Model):
    """What the two sides last agreed on about one card (see :class:`contacts.sync.Row`).

    ``contact`` is gone once the card was deleted here; ``last`` then holds it as a vCard. In a
    clash ``theirs`` is the server's version, as a vCard.
    """

    remote = models.ForeignKey(RemoteBook, models.CASCADE, related_name="cards")
    contact = models.OneToOneField(
        Contact, models.SET_NULL, null=True, blank=True, related_name="remote"
    )
    uid = models.TextField(blank=True)
    href = models.TextField(blank=True)
    base_etag = models.TextField(blank=True)
    base_digest = models.CharField(max_length=32, blank=True)
    sent_digest = models.CharField(max_length=32, blank=True)
    clash = models.CharField(max_length=16, blank=True)
    clash_etag = models.TextField(blank=True)
    clash_digest = models.CharField(max_length=32, blank=True)
    theirs = models.TextField(blank=True)
    last = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"remote card {self.pk}"


class UnreadableCard(models.Model):
    """Something on a server that is no card, in the version that was tried."""

    remote = models.ForeignKey(RemoteBook, models.CASCADE, related_name="unreadable")
    href = models.TextField()
    etag = models.TextField()

    def __str__(self) -> str:
        return f"no card {self.pk}"


class DirectoryState(models.Model):
    """How far the company directory has been read into its book, and how the last reading went.

    ``scope`` tells by which settings. ``error`` is a word of :mod:`contacts.ldap.keeping`;
    ``failures`` counts those in a row. Until ``working_until`` somebody is reading.
    """

    book = models.OneToOneField(Book, models.CASCADE, primary_key=True, related_name="+")
    position = models.CharField(max_length=64, blank=True)
    authority = models.CharField(max_length=255, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    repaired_at = models.DateTimeField(null=True, blank=True)
    people = models.PositiveIntegerField(default=0)
    scope = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=40, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    working_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("company directory")
        verbose_name_plural = _("company directory")

    def __str__(self) -> str:
        return f"directory read at {self.read_at}"


class ImportRun(models.Model):
    """A file on its way into a book: how far it is, and what was refused.

    ``refused`` are [line, reason] pairs, the first of them; ``refusals`` counts all. ``unreadable``
    are [name, text] pairs of numbers that are none, in the same way. ``size`` and ``done`` are
    bytes of the file.
    """

    class State(models.TextChoices):
        """How far it is."""

        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    book = models.ForeignKey(Book, models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=NAME_LIMIT)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    size = models.PositiveBigIntegerField(default=0)
    done = models.PositiveBigIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)
    refused = models.JSONField(default=list)
    unreadables = models.PositiveIntegerField(default=0)
    unreadable = models.JSONField(default=list)
    started_at = models.DateTimeField()
    touched_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"import {self.pk}: {self.state}"

    @property
    def is_running(self) -> bool:
        """Whether there is more to come."""
        return self.state == self.State.RUNNING

    @property
    def handled(self) -> int:
        """How many cards or rows have been dealt with; a killed import goes on behind them."""
        return self.added + self.changed + self.unchanged + self.refusals

    @property
    def percent(self) -> int:
        """How much of the file has been read."""
        return 100 if not self.is_running else min(99, self.done * 100 // max(1, self.size))


class ImportFile(models.Model):
    """The file of an import while it is read: whichever process reads it finds it here."""

    run = models.OneToOneField(ImportRun, models.CASCADE, primary_key=True, related_name="upload")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"file of import {self.run_id}"


class Deletion(models.Model):
    """A contact that somebody deleted a while ago, to be had back.

    ``contact_id`` is the id it had and gets again, ``card`` its content as a vCard; ``remote`` is
    what the two-way sync still knows of it. ``said`` are the rows that went with it, by ids:
    ``{"distinct": [[user, one, other]], "same": [[contact, same_as]]}``.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    book = models.ForeignKey(Book, models.CASCADE, related_name="+")
    contact_id = models.BigIntegerField()
    card = models.TextField()
    said = models.JSONField(default=dict)
    remote = models.ForeignKey(RemoteCard, models.SET_NULL, null=True, related_name="+")
    deleted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"deletion of contact {self.contact_id}"


class Distinct(models.Model):
    """Two contacts of which somebody has said that they are not the same person."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    one = models.ForeignKey(Contact, models.CASCADE, related_name="+")
    other = models.ForeignKey(Contact, models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "one", "other"], name="said_once"),
        ]

    def __str__(self) -> str:
        return f"{self.one_id} is not {self.other_id}"


class Word(models.Model):
    """Where the folded words of a contact are found (see :mod:`contacts.index.postings`).

    Without a foreign key: a row whose contact is gone finds nobody and does no harm.
    """

    pk = models.CompositePrimaryKey("scope", "words", "contact_id")
    scope = models.BigIntegerField()
    words = models.CharField(max_length=WORDS_LENGTH)
    contact_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.words} in {self.scope}"


class Spelling(models.Model):
    """A word of the names in a book, as the keys of a telephone spell it."""

    pk = models.CompositePrimaryKey("book_id", "keys", "word")
    book_id = models.BigIntegerField()
    keys = models.CharField(max_length=WORDS_LENGTH)
    word = models.CharField(max_length=WORDS_LENGTH)

    def __str__(self) -> str:
        return f"{self.keys}: {self.word}"
