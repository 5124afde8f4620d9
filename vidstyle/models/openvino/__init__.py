"""Networks run by OpenVINO on processors."""
