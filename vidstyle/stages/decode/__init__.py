"""Sources: files and folders of pictures in."""
