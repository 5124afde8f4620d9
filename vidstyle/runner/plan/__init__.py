"""From a pipeline and a clip to the resolved plan."""
