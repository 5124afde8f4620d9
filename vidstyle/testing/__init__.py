"""For stage authors: the check suite and clips with known motion."""
