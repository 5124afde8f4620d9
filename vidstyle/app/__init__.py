"""The web page: ``vidstyle app``."""
