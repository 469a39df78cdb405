"""The network and the device: embeddings, coreset, nearest neighbours, weights.

The only room that imports torch; it knows no role, no ROI and no file of the data root but weights.
"""
