"""How well a result does: temporal metrics."""
