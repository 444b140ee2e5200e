"""For every test: what must stand in the environment before TensorFlow is first imported."""

import os

# As the worker has it: channels-first models train on every processor, and not on some alone.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
