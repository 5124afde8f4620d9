"""Style transfer by optimization (Gatys et al. 2016)."""
