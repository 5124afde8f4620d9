"""The stages, one idea a file. Stages never import stages."""
