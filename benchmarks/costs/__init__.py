"""What the stages of a pipeline cost, operation by operation."""
