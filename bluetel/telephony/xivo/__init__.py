"""The adapter for XiVO's XUC; :class:`.backend.XivoBackend` is what others use."""
