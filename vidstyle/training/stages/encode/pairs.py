"""Keeps the frames, flow and visibility of a clip, for training."""

from vidstyle.training.pair_cache import PairSink

STAGE = PairSink
