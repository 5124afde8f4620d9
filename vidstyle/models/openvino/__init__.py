"""Style networks run by OpenVINO."""
