"""Pipeline files: reading, checking, discovery of stages."""
