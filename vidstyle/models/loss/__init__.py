"""Loss networks and the loss terms."""
