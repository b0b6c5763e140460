"""The adapter for Wazo; :class:`.backend.WazoBackend` is what others use."""
