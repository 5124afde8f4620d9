"""Pure functions on images and flow."""
