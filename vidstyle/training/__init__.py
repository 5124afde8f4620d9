"""Training of styles: data, losses, calibration, loop."""
