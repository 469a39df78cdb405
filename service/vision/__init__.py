"""Pure functions on pictures (numpy, OpenCV): decoding, masks, finding the part, anomaly map, verdict.

No model, no disk, no network.
"""
