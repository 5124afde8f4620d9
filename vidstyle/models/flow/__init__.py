"""Networks for optical flow."""
