"""Voice messages: in the page, in the mailbox, and one click from calling back."""
