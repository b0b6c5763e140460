"""The index of the contact base: what is written for a contact, and how a question is answered.

``postings`` is pure and says under which words a contact is found; ``store`` writes them;
``query`` finds the contacts that answer a question, and ``sqlite`` and ``postgresql`` hold what
the two databases write differently. A match is always judged again by :mod:`contacts.rules`: the
index only proposes whom to look at, in an order that lets it stop early.
"""
