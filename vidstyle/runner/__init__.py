"""From a pipeline file to finished frames: config, plan, execution, storage."""
