"""Pages for people, made of what was measured."""
