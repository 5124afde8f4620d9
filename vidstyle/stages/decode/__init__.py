"""Sources: files and folders of images in."""
