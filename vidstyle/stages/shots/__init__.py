"""Cut detection."""
