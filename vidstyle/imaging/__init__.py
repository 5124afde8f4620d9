"""Pure functions on pictures and flow."""
