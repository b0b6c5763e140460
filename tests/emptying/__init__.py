"""An app of the tests' settings only: how the tables are emptied after a transactional test."""
