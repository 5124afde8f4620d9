"""Style networks and style files."""
