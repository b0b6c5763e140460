"""The engine: the one part that listens to the PBXs and keeps everybody's states."""
