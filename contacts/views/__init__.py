"""The pages of the contact base."""
